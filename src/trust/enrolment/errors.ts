import { errorTable } from '#kernel'

/** Why somebody is not let into the federation, or out of it. Every message says what to do. */
export const enrolmentError = errorTable({
  'invitation.unreadable': {
    kind: 'invalid',
    retryable: false,
    message: 'This is no code of an invitation ({reason}). Copy all of what `pelago {kind} invite` printed.',
  },
  'invitation.kind': {
    kind: 'invalid',
    retryable: false,
    message: 'This code is for a {kind}: use `pelago {kind} join`.',
  },
  'invitation.wrong': {
    kind: 'denied',
    retryable: false,
    message: 'The federation knows no such invitation. Ask who invited you for a new code.',
  },
  'invitation.expired': {
    kind: 'denied',
    retryable: false,
    message: 'The invitation ended at {until}. Ask who invited you for a new code.',
  },
  'invitation.used': {
    kind: 'denied',
    retryable: false,
    message:
      'The invitation was used by another key before. If that was not you, tell who invited you: {member} must be revoked.',
  },
  'invitation.many': {
    kind: 'exhausted',
    retryable: false,
    message: 'There are {most} open invitations. Wait until some end, which takes 24 hours at the most.',
  },
  'join.spent': {
    kind: 'unavailable',
    retryable: true,
    message: 'Too many codes were tried that are none; wait {retryAfter} s.',
  },
  'member.id': {
    kind: 'invalid',
    retryable: false,
    message: '{member} cannot be the name of a member: Pelago uses it for itself. Choose another.',
  },
  'member.enrolled': {
    kind: 'conflict',
    retryable: false,
    message:
      '{member} is enrolled already. To give it new keys or another address, say so with --again; to end it, `pelago {kind} revoke {member}`.',
  },
  'member.kind': {
    kind: 'conflict',
    retryable: false,
    message: '{member} is the name of a {kind}. Choose another.',
  },
  'member.key': {
    kind: 'invalid',
    retryable: false,
    message: 'The keys of {member} are not taken: {reason}. Join with --new-keys.',
  },
  'member.endpoint': {
    kind: 'invalid',
    retryable: false,
    message: 'A provider says where it is reached and how many bytes it keeps: {reason}.',
  },
  'member.missing': {
    kind: 'missing',
    retryable: false,
    message: 'There is no {kind} {member}. `pelago member list` shows who is enrolled.',
  },
  'member.unknown': {
    kind: 'denied',
    retryable: false,
    message: 'Nobody is enrolled as {member} with this key. Enrol it: pelago gateway|provider join CODE.',
  },
  'member.revoked': {
    kind: 'denied',
    retryable: false,
    message: '{member} was revoked. If it is to come back, it is invited and joins anew.',
  },
  'member.unsigned': {
    kind: 'denied',
    retryable: false,
    message: 'Only a member asks for its own certificate, by a request that its key has signed.',
  },
})
