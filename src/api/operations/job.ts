import { operation } from '../operation.ts'
import { about, choice, fields, flag, integer, list, nullable, optional, type Static, text } from '../schema.ts'
import { nothing, runners, time, watchers } from './words.ts'

const jobId = text({
  min: 1,
  max: 64,
  pattern: '^[a-z0-9.-]+$',
  means: 'must be the id of a job, as `pelago jobs` lists it',
})

export const jobState = choice('queued', 'running', 'waiting', 'done', 'failed', 'cancelled')

const jobSchema = fields({
  id: text(),
  kind: text(),
  about: about('What it is about, such as the name of a bucket; empty where it is about everything.', text()),
  tenant: about('For whom; empty for what the house does by itself.', text()),
  lasting: about('It never ends: rounds follow each other, with a rest between them.', flag()),
  state: jobState,
  done: integer({ min: 0 }),
  total: about('Null while nobody knows.', nullable(integer({ min: 0 }))),
  says: about('How far it is, in words.', text({ max: 4000 })),
  failures: about('Steps that failed in a row, up to now.', integer({ min: 0 })),
  because: about('Why the last step failed; empty when it did not.', text({ max: 4000 })),
  mend: about('What to do about it; empty when nothing is to be done.', text({ max: 4000 })),
  createdAt: time,
  ranAt: about('When it was last taken up.', nullable(time)),
  nextAt: about('When it is taken up next, where that is known.', nullable(time)),
  endedAt: nullable(time),
})
export type ApiJob = Static<typeof jobSchema>

export const listJobs = operation({
  id: 'job.list',
  summary:
    'Lists the jobs of the tenant, the newest first; whoever runs the gateway sees those of all, and what the house does by itself.',
  method: 'GET',
  path: '/v1/jobs',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  pages: true,
  input: fields({ after: optional(jobId), limit: optional(integer({ min: 1, max: 1000 })) }),
  output: fields({ jobs: list(jobSchema, 1000), next: nullable(text()) }),
  errors: [],
})

export const watchJobs = operation({
  id: 'job.watch',
  summary: 'Says what the newest hundred jobs are at, and again whenever that changes.',
  method: 'GET',
  path: '/v1/jobs/events',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  stream: true,
  input: nothing,
  output: fields({ now: time, jobs: list(jobSchema, 100) }),
  errors: [],
})

export const getJob = operation({
  id: 'job.get',
  summary: 'Says how far a job is, and why it does not go on where it does not.',
  method: 'GET',
  path: '/v1/jobs/{job}',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  input: fields({ job: jobId }),
  output: jobSchema,
  errors: ['job.missing'],
})

export const cancelJob = operation({
  id: 'job.cancel',
  summary: 'Ends a job. What it has done stays done; whoever does it now can change nothing more.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/jobs/{job}/cancel',
  server: 'gateway',
  roles: runners,
  reach: 'tenant',
  states: ['job.cancelled'],
  input: fields({ job: jobId }),
  output: jobSchema,
  errors: ['job.missing', 'job.lasting', 'job.ended'],
})

export const retryJob = operation({
  id: 'job.retry',
  summary: 'Takes up a job again that failed or was cancelled, where it stopped; one that waits goes on at once.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/jobs/{job}/retry',
  server: 'gateway',
  roles: runners,
  reach: 'tenant',
  states: ['job.retried', 'job.hastened'],
  input: fields({ job: jobId }),
  output: jobSchema,
  errors: ['job.missing', 'job.done', 'job.doubled'],
})
