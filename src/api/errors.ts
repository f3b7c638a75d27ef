import { errorTable } from '#kernel'

/** What is wrong with a request, before any plane has seen it. */
export const apiError = errorTable({
  'request.invalid': { kind: 'invalid', retryable: false, message: '{path} {fault}.' },
  'request.malformed': { kind: 'invalid', retryable: false, message: 'The body is not JSON: {reason}.' },
  'request.large': { kind: 'invalid', retryable: false, message: 'The body is larger than {limit} bytes.' },
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
