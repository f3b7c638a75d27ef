import { errorTable } from '#kernel'

/** Every code that the pool raises. */
export const poolError = errorTable({
  'policy.invalid': {
    kind: 'invalid',
    retryable: false,
    message: 'The policy cannot be understood: {path} {fault}.',
  },
  'directory.invalid': {
    kind: 'corrupt',
    retryable: false,
    message: 'The directory of providers is refused: {reason}. Fetch it from the federation again.',
  },
  'directory.unfit': {
    kind: 'invalid',
    retryable: false,
    message: 'No gateway would believe a directory in which {reason}. Nothing was changed; say it otherwise.',
  },
})
