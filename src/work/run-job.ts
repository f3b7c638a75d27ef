import { type Clock, type Database, hasCode, type Log, PelagoError } from '#kernel'
import { backoffMs, type Fence, isHopeless, type Job, type JobKind, type Piece, type Progress } from './job.ts'
import { releaseJob, renewJob, saveFailure, saveProgress } from './job.store.ts'

export type RunPorts = { database: Database; clock: Clock; log: Log }

/** After this a job that rests and says no time is taken up again. */
const restMs = 15_000

/**
 * Does steps of a job that was taken up, under a lease that is renewed meanwhile, until it is done, rests, fails, is lost,
 * or has had its time. Throws nothing: what goes wrong is saved with the job and logged; what cannot be saved ends with the lease.
 * @param times how long the lease lasts without being renewed, and after how long the next in turn comes, milliseconds
 */
export async function runJob(
  ports: RunPorts,
  kind: JobKind,
  taken: { job: Job; fence: Fence },
  times: { leaseMs: number; sliceMs: number },
  stop: AbortSignal,
): Promise<void> {
  const { clock } = ports
  const { fence } = taken
  let { job } = taken
  const lease = keepLease(ports, fence, times.leaseMs, stop)
  const sliceEnds = clock.now() + times.sliceMs
  try {
    for (;;) {
      const outcome = await kind.step(job, fence, lease.signal)
      const progress = await save(ports, kind, fence, outcome, () => clock.now() < sliceEnds && !stop.aborted)
      if (progress === undefined) return
      job = { ...job, ...progress, failures: 0, because: '' }
    }
  } catch (error) {
    lease.end()
    await settleFailure(ports, job, fence, error, stop)
  } finally {
    lease.end()
  }
}

/** Saves what a step came to, in the step's own transaction where it has one. @returns undefined when this was the last for now */
async function save(
  { database, clock }: RunPorts,
  kind: JobKind,
  fence: Fence,
  outcome: Progress | Piece,
  goesOn: () => boolean,
): Promise<Progress | undefined> {
  const keep = goesOn()
  const now = clock.now()
  return database.transact(function* () {
    const progress = typeof outcome === 'function' ? yield* outcome() : outcome
    const rest = progress.next === 'rest' ? (progress.restMs ?? kind.everyMs ?? restMs) : 0
    const stays = progress.next === 'more' && keep
    yield* saveProgress(fence, progress, now, stays ? undefined : now + rest)
    return stays ? progress : undefined
  })
}

async function settleFailure(ports: RunPorts, job: Job, fence: Fence, error: unknown, stop: AbortSignal) {
  const { database, clock, log } = ports
  const reason = error instanceof Error ? error.message : String(error)
  const facts = { job: job.id, kind: job.kind }
  const now = clock.now()
  try {
    if (hasCode(error, 'work.fenced')) return log('info', 'job.lost', facts)
    if (stop.aborted) return await database.transact(() => releaseJob(fence, now), 'committed')
    const known = error instanceof PelagoError ? error : undefined
    const failures = job.failures + 1
    const givenUp = !job.lasting && isHopeless(failures, known)
    // What is not an error of ours may hold anything; it is for the log alone.
    const because = known?.message ?? `Something unforeseen went wrong; the log has it under job ${job.id}.`
    log(givenUp ? 'error' : 'warn', givenUp ? 'job.failed' : 'job.stumbled', { ...facts, failures, reason })
    const pause = backoffMs(failures)
    const failure = { failures, because, givenUp }
    const mine = await database.transact(() => saveFailure(fence, failure, now, clock.now() + pause), 'committed')
    if (!mine) log('info', 'job.lost', facts)
  } catch (unsaved) {
    // Somebody takes it up when the lease has ended.
    log('warn', 'job.unsaved', { ...facts, reason: unsaved instanceof Error ? unsaved.message : String(unsaved) })
  }
}

/** Renews a lease until it is ended; its signal fires when the lease is lost or the process stops. */
function keepLease({ database, clock }: RunPorts, fence: Fence, leaseMs: number, stop: AbortSignal) {
  const lost = new AbortController()
  const stopped = () => lost.abort(stop.reason)
  if (stop.aborted) stopped()
  stop.addEventListener('abort', stopped, { once: true })
  let cancel = () => {}
  let over = false
  const keep = () => {
    cancel = clock.after(leaseMs / 3, () => {
      const until = clock.now() + leaseMs
      database
        .transact(() => renewJob(fence, until), 'committed')
        .then(
          (kept) => {
            if (over) return
            if (kept) keep()
            else lost.abort(new Error('the lease was lost'))
          },
          // Not known whether it was renewed: there are two more tries before it ends.
          () => over || keep(),
        )
    })
  }
  keep()
  return {
    signal: lost.signal,
    end() {
      over = true
      cancel()
      stop.removeEventListener('abort', stopped)
    },
  }
}
