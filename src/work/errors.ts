import { errorTable } from '#kernel'

/** Every code that background work raises. */
export const workError = errorTable({
  'work.fenced': {
    kind: 'conflict',
    retryable: false,
    message: 'Another process took over {loop}; this one stops its round.',
  },
})
