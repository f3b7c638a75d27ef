import { errorTable } from '#kernel'

/** What a client finds out by itself, without an answer of ours. */
export const clientError = errorTable({
  'answer.foreign': {
    kind: 'unavailable',
    retryable: true,
    message:
      'What answers as the {server} is not Pelago: status {status} to {path}. Another program may have its port.',
  },
  'stream.broken': {
    kind: 'unavailable',
    retryable: true,
    message: 'The stream of events cannot be understood; it is begun anew.',
  },
  's3.refused': {
    kind: 'invalid',
    retryable: false,
    message: 'The S3 endpoint refused: {message} ({code}, status {status}).',
  },
  's3.missing': { kind: 'missing', retryable: false, message: 'There is no {what}.' },
  's3.damaged': {
    kind: 'corrupt',
    retryable: true,
    message: 'The {got} bytes that arrived are not the {size} that were promised; try again.',
  },
  's3.large': {
    kind: 'invalid',
    retryable: false,
    message: 'The file has {size} bytes; this command puts at most {limit}. Use any S3 client that knows multipart.',
  },
  'address.invalid': {
    kind: 'invalid',
    retryable: false,
    message: '"{address}" is not an address like s3://bucket/key.',
  },
})
