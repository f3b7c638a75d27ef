import type { Call, Clock, Database, Row, Statement } from '#kernel'
import { workError } from './errors.ts'
import type { Job } from './job.ts'
import { allJobs, endJob, getJob, hastenJob, jobsOf, reviveJob } from './job.store.ts'

/** `state`: writes an act down, in the transaction that brings it about. */
type Ports = {
  database: Database
  clock: Clock
  state(act: JobAct, job: Job): Generator<Statement, void, Row[]>
}
export type JobAct = 'cancelled' | 'retried'

/** Who asks. `house`: whoever runs the gateway; to him the house's own work is shown, and that of every tenant. */
export type JobAsker = Pick<Call, 'tenant'> & { house?: boolean }

const whoseOf = ({ tenant, house }: JobAsker) => (house ? undefined : tenant)

/** The jobs that the asker may see, the newest first; a page of them. */
export async function listJobs(
  { database }: Pick<Ports, 'database'>,
  asker: JobAsker,
  { before, limit }: { before?: string | undefined; limit: number },
): Promise<{ jobs: Job[]; next?: string }> {
  const jobs = await database.read(() =>
    asker.house ? allJobs(before, limit + 1) : jobsOf(asker.tenant, before, limit + 1),
  )
  const page = jobs.slice(0, limit)
  const last = page.at(-1)
  return { jobs: page, ...(jobs.length > limit && last && { next: last.id }) }
}

/** @throws job.missing also for what the asker may not see */
export function showJob({ database }: Pick<Ports, 'database'>, asker: JobAsker, id: string): Promise<Job> {
  return database.read(() => getJob(whoseOf(asker), id))
}

/**
 * Ends a job for good or until somebody takes it up again. What it has done stays done; whoever does it now cannot commit
 * from here on.
 * @throws job.missing, job.lasting, job.ended
 */
export function cancelJob({ database, clock, state }: Ports, asker: JobAsker, id: string): Promise<Job> {
  const now = clock.now()
  return database.transact(function* () {
    const job = yield* getJob(whoseOf(asker), id)
    if (job.lasting) throw workError('job.lasting', { job: id })
    if (job.state === 'done' || job.state === 'failed') throw workError('job.ended', { job: id, state: job.state })
    if (job.state === 'cancelled') return job
    yield* endJob(id, now)
    yield* state('cancelled', job)
    return yield* getJob(whoseOf(asker), id)
  })
}

/**
 * Takes a job up again that failed or was cancelled, where it stopped; one that waits goes on at once.
 * @throws job.missing, job.done, job.doubled
 */
export function retryJob({ database, clock, state }: Ports, asker: JobAsker, id: string): Promise<Job> {
  const now = clock.now()
  return database.transact(function* () {
    const job = yield* getJob(whoseOf(asker), id)
    if (job.state === 'done') throw workError('job.done', { job: id })
    if (job.state === 'queued' || job.state === 'running') return job
    if (job.state === 'waiting') yield* hastenJob(id, now)
    else yield* reviveJob(id, now)
    yield* state('retried', job)
    return yield* getJob(whoseOf(asker), id)
  })
}
