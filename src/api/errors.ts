import { errorTable } from '#kernel'

/** What is wrong with a request, before any plane has seen it. */
export const apiError = errorTable({
  'request.invalid': { kind: 'invalid', retryable: false, message: '{path} {fault}.' },
  'request.malformed': { kind: 'invalid', retryable: false, message: 'The body is not JSON: {reason}.' },
  'request.large': { kind: 'invalid', retryable: false, message: 'The body is larger than {limit} bytes.' },
  'request.rate': {
    kind: 'unavailable',
    retryable: true,
    message: 'Too many requests from you; wait {retryAfter} s.',
  },
  'request.crowded': {
    kind: 'unavailable',
    retryable: true,
    message: 'The server has {limit} {what} already; wait {retryAfter} s.',
  },
  'request.slow': {
    kind: 'unavailable',
    retryable: true,
    message: 'The body did not arrive within {seconds} seconds.',
  },
  'request.unauthenticated': {
    kind: 'denied',
    retryable: false,
    message:
      'It is not known who asks. Sign in, sign the request, or send the token of the data folder (its file api-token).',
  },
  'request.forbidden': {
    kind: 'denied',
    retryable: false,
    message: '{operation} is for the roles {allowed}; you are {roles}.',
  },
  'request.house': {
    kind: 'denied',
    retryable: false,
    message:
      '{operation} is about what all tenants of this server share; only whoever runs it may, with the token of the data folder.',
  },
  'request.head': {
    kind: 'invalid',
    retryable: false,
    message: 'The head of the request cannot be read: {reason}.',
  },
  'request.key': {
    kind: 'invalid',
    retryable: false,
    message: 'An Idempotency-Key has 16 to 255 letters, digits, and - _ . : + / =, and is used for one request only.',
  },
  'request.reused': {
    kind: 'invalid',
    retryable: false,
    message: 'Another request came under this Idempotency-Key before; make a new key for each.',
  },
  'request.running': {
    kind: 'conflict',
    retryable: true,
    message: 'The request under this Idempotency-Key is being worked on; ask again in {retryAfter} s.',
  },
  'request.keys': {
    kind: 'unavailable',
    retryable: true,
    message: 'You have {limit} Idempotency-Keys of the last 24 h; wait until some are forgotten.',
  },
  'request.revision': {
    kind: 'precondition',
    retryable: false,
    message: 'If-Match must be one revision, as the ETag of {operation} says it; what came is another thing.',
  },
  'request.unconditional': {
    kind: 'invalid',
    retryable: false,
    message: '{operation} has no revisions; leave If-Match away.',
  },
  'operation.missing': { kind: 'missing', retryable: false, message: 'There is no operation {method} {path}.' },
  'operation.unbuilt': { kind: 'unbuilt', retryable: false, message: '{operation} is not built yet.' },
  'operation.late': {
    kind: 'uncertain',
    retryable: false,
    message: '{operation} was not done within {seconds} seconds; whether it will be is not known.',
  },
  'answer.invalid': {
    kind: 'internal',
    retryable: false,
    message: 'The answer to {operation} is not what the contract says: {path} {fault}.',
  },
  'server.failed': {
    kind: 'internal',
    retryable: false,
    message: 'Something unforeseen went wrong; the log has it under {trace}.',
  },
})
