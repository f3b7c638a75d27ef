import { errorTable } from '#kernel'

/** Every reason for not knowing, or not letting in, who asks. */
export const accessError = errorTable({
  'access.anonymous': { kind: 'denied', retryable: false, message: 'Requests must be signed with an access key.' },
  'access.malformed': { kind: 'invalid', retryable: false, message: 'The signature cannot be read: {reason}.' },
  'access.unknown': { kind: 'denied', retryable: false, message: 'There is no access key {id}.' },
  'access.signature': {
    kind: 'denied',
    retryable: false,
    message:
      'The signature does not match the request. Check the secret key and what happens to the request on its way.',
  },
  'access.skewed': {
    kind: 'denied',
    retryable: false,
    message: 'The time of the request and the time here ({now}) are more than 15 minutes apart; set the clock.',
  },
  'access.expired': { kind: 'denied', retryable: false, message: 'This presigned URL expired at {at}.' },
  'tenant.missing': { kind: 'missing', retryable: false, message: 'There is no tenant {tenant}.' },
  'tenant.exists': { kind: 'conflict', retryable: false, message: 'There is a tenant {tenant} already.' },
  'person.missing': { kind: 'missing', retryable: false, message: 'There is nobody called {person} in this tenant.' },
  'person.exists': { kind: 'conflict', retryable: false, message: 'There is a {person} in this tenant already.' },
  'person.last-owner': {
    kind: 'conflict',
    retryable: false,
    message: '{person} is the last owner of the tenant. Make somebody else an owner first.',
  },
  'access-policy.invalid': { kind: 'invalid', retryable: false, message: '{place} cannot be read: {reason}.' },
  'group.missing': { kind: 'missing', retryable: false, message: 'There is no group {group} in this tenant.' },
  'group.exists': { kind: 'conflict', retryable: false, message: 'There is a group {group} in this tenant already.' },
  'key.missing': { kind: 'missing', retryable: false, message: 'There is no access key {key} in this tenant.' },
  'key.exists': { kind: 'conflict', retryable: false, message: 'There is an access key {key} already.' },
  'key.many': {
    kind: 'exhausted',
    retryable: false,
    message: '{person} has {most} access keys, which is the most. Delete one that is not used any more.',
  },
  'keyring.missing': {
    kind: 'corrupt',
    retryable: false,
    message: 'A secret lies under the key {keyring}, which this Pelago does not know; start the newer one.',
  },
  'secret.damaged': {
    kind: 'corrupt',
    retryable: false,
    message: 'The secret of {what} cannot be opened: it was altered, or belongs to another database.',
  },
  'person.owner': {
    kind: 'denied',
    retryable: false,
    message: 'Only an owner makes somebody an owner, or changes one.',
  },
  'access-policy.public': {
    kind: 'denied',
    retryable: false,
    message:
      'The policy would let in everybody, and the tenant {tenant} is not open to the public. Say whom you mean, or open it: pelago tenant set {tenant} --public yes.',
  },
  'tenant.foreign': {
    kind: 'denied',
    retryable: false,
    message: 'Only whoever runs the gateway does this, with the token of its data folder.',
  },
  'sts.argument': { kind: 'invalid', retryable: false, message: '{name} is not valid: {reason}.' },
  'sts.unknown': { kind: 'invalid', retryable: false, message: 'STS has no action {action} here.' },
  'sts.packed': {
    kind: 'invalid',
    retryable: false,
    message: 'The session policy has {percent} % of the {most} characters that it may have.',
  },
  'sts.denied': { kind: 'denied', retryable: false, message: '{who} may not assume the role {role}: {reason}.' },
  'sts.identity': { kind: 'denied', retryable: false, message: 'The web identity token is not taken: {reason}.' },
  'sts.identity-expired': { kind: 'denied', retryable: false, message: 'The web identity token has expired.' },
  'sts.issuer': {
    kind: 'unavailable',
    retryable: true,
    message: 'The keys of the issuer {issuer} cannot be fetched: {reason}. Try again.',
  },
  'access-policy.missing': { kind: 'missing', retryable: false, message: 'There is no policy {policy}.' },
  'assumable-role.missing': { kind: 'missing', retryable: false, message: 'There is no role {role} in this tenant.' },
  'assumable-role.exists': {
    kind: 'conflict',
    retryable: false,
    message: 'There is a role {role} in this tenant already.',
  },
  'web-issuer.missing': { kind: 'missing', retryable: false, message: 'This tenant takes no tokens of {issuer}.' },
  'access.token': { kind: 'denied', retryable: false, message: 'The session token is not valid: {reason}.' },
  'access.token-expired': {
    kind: 'denied',
    retryable: false,
    message: 'The temporary credentials expired at {at}; get new ones.',
  },
  'access.denied': { kind: 'denied', retryable: false, message: 'You may not do this: {reason}.' },
})
