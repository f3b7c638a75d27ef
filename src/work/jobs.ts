import type { Call, Clock, Database } from '#kernel'
import { workError } from './errors.ts'
import type { Job } from './job.ts'
import { endJob, getJob, hastenJob, jobsOf, reviveJob } from './job.store.ts'

type Ports = { database: Database; clock: Clock }

/** The house's lasting work and the caller's jobs, the newest first; a page of them. */
export async function listJobs(
  { database }: Pick<Ports, 'database'>,
  call: Call,
  { before, limit }: { before?: string; limit: number },
): Promise<{ jobs: Job[]; next?: string }> {
  return database.read(function* () {
    const house = yield* jobsOf('', before, limit + 1)
    const own = call.tenant === '' ? [] : yield* jobsOf(call.tenant, before, limit + 1)
    const jobs = [...house, ...own].sort((a, b) => (a.id < b.id ? 1 : -1))
    const page = jobs.slice(0, limit)
    const last = page[page.length - 1]
    return { jobs: page, ...(jobs.length > limit && last && { next: last.id }) }
  })
}

/** @throws job.missing also for the job of another tenant */
export function showJob({ database }: Pick<Ports, 'database'>, call: Call, id: string): Promise<Job> {
  return database.read(() => getJob(call.tenant, id))
}

/**
 * Ends a job for good or until somebody takes it up again. What it has done stays done; whoever does it now cannot commit
 * from here on.
 * @throws job.missing, job.lasting, job.ended
 */
export function cancelJob({ database, clock }: Ports, call: Call, id: string): Promise<Job> {
  const now = clock.now()
  return database.transact(function* () {
    const job = yield* getJob(call.tenant, id)
    if (job.lasting) throw workError('job.lasting', { job: id })
    if (job.state === 'done' || job.state === 'failed') throw workError('job.ended', { job: id, state: job.state })
    yield* endJob(id, now)
    return yield* getJob(call.tenant, id)
  })
}

/**
 * Takes a job up again that failed or was cancelled, where it stopped; one that waits goes on at once.
 * @throws job.missing, job.done, job.doubled
 */
export function retryJob({ database, clock }: Ports, call: Call, id: string): Promise<Job> {
  const now = clock.now()
  return database.transact(function* () {
    const { state } = yield* getJob(call.tenant, id)
    if (state === 'done') throw workError('job.done', { job: id })
    if (state === 'failed' || state === 'cancelled') yield* reviveJob(id, now)
    if (state === 'waiting') yield* hastenJob(id, now)
    return yield* getJob(call.tenant, id)
  })
}
