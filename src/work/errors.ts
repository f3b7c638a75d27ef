import { errorTable } from '#kernel'

/** Every code that background work raises. */
export const workError = errorTable({
  'work.fenced': {
    kind: 'conflict',
    retryable: false,
    message: 'Another process took over {job}, or it was cancelled; this one stops.',
  },
  'job.missing': {
    kind: 'missing',
    retryable: false,
    message: 'There is no job {job}. List them with: pelago jobs',
  },
  'job.lasting': {
    kind: 'conflict',
    retryable: false,
    message: '{job} is work that never ends and cannot be cancelled; stop the gateways to stop it.',
  },
  'job.ended': {
    kind: 'conflict',
    retryable: false,
    message: 'The job {job} is {state}; there is nothing left to cancel.',
  },
  'job.done': {
    kind: 'conflict',
    retryable: false,
    message: 'The job {job} did all it was for; there is nothing to take up again.',
  },
  'job.doubled': {
    kind: 'conflict',
    retryable: false,
    message: 'The job {other} already does what {job} was for; watch that one.',
  },
})
