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
  'access.denied': { kind: 'denied', retryable: false, message: 'You may not do this: {reason}.' },
})
