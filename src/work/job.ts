import type { Clock, Json, PelagoError, Random, Row, Statement } from '#kernel'

/** A right to do one job. The token grows with every holder, so a write of an earlier one can be told apart. */
export type Fence = { job: string; token: number }

/**
 * `queued`: may be taken up now. `waiting`: not before its time: a rest, or a pause after a failure. `failed`: given up
 * until somebody takes it up again.
 */
export const jobStates = ['queued', 'running', 'waiting', 'done', 'failed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]

/** A piece of work that is known to the database, and outlives every process that does it. */
export type Job = {
  id: string
  kind: string
  /** For whom; empty for the house's own work. */
  tenant: string
  /** What it is about, in a word, such as the name of a bucket. */
  about: string
  /** Never ends: each round is followed by a rest and the next one. */
  lasting: boolean
  state: JobState
  input: Json
  /** Where its kind goes on; null at the beginning. Nobody else looks into it. */
  cursor: Json
  done: number
  /** Undefined while nobody knows. */
  total?: number
  /** How far it is, in words. */
  says: string
  /** Steps that failed one after the other, up to now. */
  failures: number
  /** Why the last step failed, in words; empty when it did not. */
  because: string
  createdAt: number
  /** When it was last taken up. */
  ranAt?: number
  endedAt?: number
  /** From when on somebody may take it up: a running one when its lease ends. */
  dueAt: number
}

/** What has come of a step. */
export type Progress = {
  /** `more`: again at once. `rest`: again after a pause. `done`: over; not for lasting work. */
  next: 'more' | 'rest' | 'done'
  /** How long the pause is, milliseconds, if not as long as is usual for the kind. */
  restMs?: number
  /** Left out: as it was. */
  cursor?: Json
  done?: number
  total?: number
  /** How far it is, in one sentence for people. No key, no secret, no name of an object. */
  says: string
}

/** The transaction that does a step and says what came of it; it commits only while the job is held. May be run twice. */
export type Piece = () => Generator<Statement, Progress, Row[]>

/** A kind of work, and how a bounded piece of it is done. */
export type JobKind = {
  /** `plane.verb`; begins with a letter. Of lasting work also the job's id. */
  name: string
  /** Work that goes on for ever: how long it rests when there is nothing to do, milliseconds. Left out: it ends. */
  everyMs?: number
  /** What people can do when it failed. */
  mend: string
  /**
   * Does one bounded piece and says what came of it, or hands over the transaction that does it, in which the progress is
   * saved too. Transactions of its own begin with `checkFence(fence)`. It ends soon after the signal.
   */
  step(job: Job, fence: Fence, signal: AbortSignal): Promise<Progress | Piece>
}

/** An id that nobody else takes; later ones are greater. */
export function newJobId({ clock, random }: { clock: Clock; random: Random }): string {
  return clock.now().toString(16).padStart(12, '0') + Buffer.from(random.bytes(8)).toString('hex')
}

const backoffFirstMs = 1000
const backoffMostMs = 60_000
/** Steps that fail one after the other before a job is given up: some four minutes. */
const failuresMost = 8

/** How long to wait after so many failures in a row, milliseconds: longer each time. */
export function backoffMs(failures: number): number {
  return Math.min(backoffMostMs, backoffFirstMs * 2 ** Math.min(failures - 1, 10))
}

/** Whether trying again makes no sense. */
export function isHopeless(failures: number, error: PelagoError | undefined): boolean {
  if (failures >= failuresMost) return true
  return error !== undefined && !error.retryable && ['invalid', 'denied', 'missing', 'unbuilt'].includes(error.kind)
}
