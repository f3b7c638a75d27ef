import { errorTable } from '#kernel'

/** Every reason for which somebody is not signed in, and what he can do about it. */
export const signInError = errorTable({
  'ceremony.missing': {
    kind: 'denied',
    retryable: false,
    message: 'This sign-in was never begun here, or it has been used already; begin again.',
  },
  'ceremony.expired': {
    kind: 'denied',
    retryable: false,
    message: 'This sign-in was begun more than {minutes} minutes ago; begin again.',
  },
  'ceremony.foreign': {
    kind: 'denied',
    retryable: false,
    message: 'This sign-in was begun for something else ({purpose}) or for somebody else; begin again.',
  },
  'ceremony.crowded': {
    kind: 'unavailable',
    retryable: true,
    message: 'Too many sign-ins are under way; try again in a few minutes.',
  },
  'attempts.spent': {
    kind: 'unavailable',
    retryable: true,
    message: 'Too many attempts; try again in {seconds} seconds.',
  },

  'passkey.malformed': { kind: 'invalid', retryable: false, message: 'The passkey answer cannot be read: {reason}.' },
  'passkey.type': {
    kind: 'denied',
    retryable: false,
    message: 'The passkey answered another kind of question ({type}) than {expected}.',
  },
  'passkey.challenge': { kind: 'denied', retryable: false, message: 'The passkey answered another challenge.' },
  'passkey.origin': {
    kind: 'denied',
    retryable: false,
    message: 'The passkey was used on a page of {origin}; open the page of this gateway.',
  },
  'passkey.framed': {
    kind: 'denied',
    retryable: false,
    message: 'The passkey was used inside a page of somebody else; open the page of this gateway by itself.',
  },
  'passkey.rp': {
    kind: 'denied',
    retryable: false,
    message: 'The passkey answered for another name than {rp}, which is this gateway.',
  },
  'passkey.presence': { kind: 'denied', retryable: false, message: 'Nobody touched the passkey; try again.' },
  'passkey.verification': {
    kind: 'denied',
    retryable: false,
    message: 'The passkey did not check who uses it; set up a PIN, fingerprint or face on it.',
  },
  'passkey.backup': {
    kind: 'denied',
    retryable: false,
    message: 'The passkey says that it is backed up although it cannot be.',
  },
  'passkey.changed': {
    kind: 'denied',
    retryable: false,
    message: 'The passkey says something else about its backup than when it was registered.',
  },
  'passkey.incomplete': { kind: 'invalid', retryable: false, message: 'The passkey did not tell its key.' },
  'passkey.extended': {
    kind: 'invalid',
    retryable: false,
    message: 'The passkey answered extensions that nobody asked for.',
  },
  'passkey.algorithm': {
    kind: 'invalid',
    retryable: false,
    message: 'The passkey signs with algorithm {algorithm}; EdDSA, ES256 and RS256 are understood.',
  },
  'passkey.key': { kind: 'invalid', retryable: false, message: 'The key of the passkey is not valid: {reason}.' },
  'passkey.id': { kind: 'denied', retryable: false, message: 'The passkey gives itself two different names.' },
  'passkey.attestation': {
    kind: 'invalid',
    retryable: false,
    message: 'The passkey brings a statement of kind {format}; none is asked for.',
  },
  'passkey.statement': {
    kind: 'denied',
    retryable: false,
    message: 'The statement that the passkey makes about itself is not right.',
  },
  'passkey.signature': { kind: 'denied', retryable: false, message: 'The signature of the passkey is not right.' },
  'passkey.unknown': {
    kind: 'denied',
    retryable: false,
    message: 'This passkey is not known here; use another, or ask the people of your tenant for recovery.',
  },
  'passkey.owner': { kind: 'denied', retryable: false, message: 'The passkey names another person than its owner.' },
  'passkey.taken': { kind: 'conflict', retryable: false, message: 'This passkey is registered already.' },
  'passkey.many': {
    kind: 'exhausted',
    retryable: false,
    message: 'You have {most} passkeys already; remove one first.',
  },
  'passkey.missing': { kind: 'missing', retryable: false, message: 'You have no passkey {id}.' },
  'passkey.last': {
    kind: 'conflict',
    retryable: false,
    message: 'This is your last passkey; register another before you remove it.',
  },

  'provider.unknown': {
    kind: 'missing',
    retryable: false,
    message: 'There is no identity provider {provider}; there are: {known}.',
  },
  'provider.redirect': {
    kind: 'invalid',
    retryable: false,
    message: 'The identity provider may not send people to {uri}; it is neither this gateway nor this machine.',
  },
  'provider.state': {
    kind: 'denied',
    retryable: false,
    message: 'The answer of the identity provider belongs to another sign-in; begin again.',
  },
  'provider.refused': {
    kind: 'denied',
    retryable: false,
    message: 'The identity provider refused: {reason}.',
  },
  'provider.code': {
    kind: 'denied',
    retryable: false,
    message: 'The identity provider does not know this code (any more); begin again.',
  },
  'provider.issuer': {
    kind: 'denied',
    retryable: false,
    message: 'The answer comes from another issuer than the one that is configured.',
  },
  'provider.audience': { kind: 'denied', retryable: false, message: 'The token was made for somebody else than us.' },
  'provider.nonce': { kind: 'denied', retryable: false, message: 'The token was made for another sign-in.' },
  'provider.expired': {
    kind: 'denied',
    retryable: false,
    message: 'The token has expired, or the clocks are apart; begin again.',
  },
  'provider.signature': {
    kind: 'denied',
    retryable: false,
    message: 'The token is not signed with a key of the identity provider.',
  },
  'provider.algorithm': {
    kind: 'denied',
    retryable: false,
    message: 'The token is signed in a way that was not agreed on.',
  },
  'provider.token': {
    kind: 'denied',
    retryable: false,
    message: 'The token of the identity provider is not valid: {reason}.',
  },
  'provider.failed': {
    kind: 'unavailable',
    retryable: true,
    message: 'The identity provider {provider} cannot be asked: {reason}.',
  },
  'provider.uninvited': {
    kind: 'denied',
    retryable: false,
    message: 'The identity provider knows you, but nobody has invited you here; ask an admin of your tenant.',
  },

  'session.missing': { kind: 'missing', retryable: false, message: 'There is no session {id}.' },
  'session.ended': {
    kind: 'denied',
    retryable: false,
    message: 'This session has ended ({reason}); sign in again.',
  },
  'session.forged': {
    kind: 'denied',
    retryable: false,
    message: 'A request with a cookie must come from a page of this gateway: {reason}.',
  },
  'session.personless': {
    kind: 'denied',
    retryable: false,
    message: 'This is for people who have signed in; the token of the machine is nobody. Sign in first.',
  },

  'admin.present': {
    kind: 'conflict',
    retryable: false,
    message: 'This tenant has an owner who can sign in; ask an owner for an invitation, or begin a recovery.',
  },
  'admin.code': {
    kind: 'denied',
    retryable: false,
    message: 'This code is wrong, used or too old; get another on the machine with `pelago admin code`.',
  },

  'invitation.code': {
    kind: 'denied',
    retryable: false,
    message: 'This code is wrong, used or too old; ask whoever invited you for another.',
  },
  'invitation.settled': {
    kind: 'conflict',
    retryable: false,
    message: '{person} can sign in already; who has lost all passkeys begins a recovery.',
  },
  'invitation.owner': { kind: 'denied', retryable: false, message: 'Only an owner may invite an owner.' },
  'enrolment.name': {
    kind: 'invalid',
    retryable: false,
    message: 'The first owner needs a name: give one with this code.',
  },

  'login.pending': { kind: 'unavailable', retryable: true, message: 'Nobody has approved this sign-in yet.' },
  'login.code': { kind: 'missing', retryable: false, message: 'There is no sign-in with this code; look again.' },

  'recovery.plan': { kind: 'invalid', retryable: false, message: 'The recovery plan is not right: {reason}.' },
  'recovery.planless': {
    kind: 'precondition',
    retryable: false,
    message: 'Your tenant has not said who helps with recovery; an owner does so with `pelago recovery plan`.',
  },
  'recovery.missing': { kind: 'missing', retryable: false, message: 'There is no recovery {id} that is under way.' },
  'recovery.claim': { kind: 'denied', retryable: false, message: 'This is not the secret of that recovery.' },
  'recovery.helper': {
    kind: 'denied',
    retryable: false,
    message: 'Only people of the recovery plan may do this, and nobody for himself.',
  },
  'recovery.few': {
    kind: 'precondition',
    retryable: true,
    message: '{approvals} of {needed} people have approved; ask the others.',
  },
  'recovery.early': {
    kind: 'precondition',
    retryable: true,
    message: 'This recovery can be completed from {readyAt} on, unless somebody cancels it.',
  },
})
