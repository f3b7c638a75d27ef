import { hasCode, PelagoError } from '#kernel'
import { storageError } from '../errors.ts'
import { ascendingName, type Ground } from '../ground.ts'
import { closeIntent } from '../index/intents.store.ts'
import { holdClassFloor } from '../index/key-moves.store.ts'
import { insertPack, keepPackClass, type PackClass, shrinkPack } from '../index/packs.store.ts'
import type { Segment } from '../index/segment.ts'
import { insertSegment } from '../index/segments.store.ts'
import { account } from '../quota/account.ts'
import { checkDirectory } from '../write/check-directory.ts'
import { checkHolders } from '../write/commit-body.ts'
import { giveUp } from '../write/give-up.ts'
import { writeSegment } from '../write/write-segment.ts'
import { packContents } from './contents.ts'
import type { PackLayout } from './layout.ts'
import type { PackJob, SeenBuckets } from './job.ts'
import { keepPlan, type PlannedPack } from './plan-ahead.ts'
import type { Guard } from '../repair/replace-committed.ts'

export type WriteOptions = {
  /** Of background work. */
  guard?: Guard
  /** What the commit of another pack has planned for this one. */
  planned?: PlannedPack
  /** What the commit of this one plans for another. */
  next?: PlannedPack
  /** Told that `next` is planned, for sure. */
  keep?(next: PlannedPack): void
}

export type PackOutcome = { value: unknown } | { error: unknown }

/**
 * Writes one pack and commits it with all that its objects are for. What refuses one object alone, such as a condition, is
 * that object's outcome; the others are stored all the same.
 * @throws pool.short, pool.full, write.troubled, directory.older, commit.lost, commit.uncertain: then none was stored
 */
export async function writePack(
  ground: Ground,
  packClass: PackClass,
  jobs: readonly PackJob[],
  { guard = noGuard, planned, next, keep }: WriteOptions = {},
): Promise<PackOutcome[]> {
  // It is the intent's name too.
  const pack = planned?.pack ?? ascendingName(ground)
  const contents = packContents(
    ground,
    packClass,
    jobs.map(({ sealed }) => sealed),
  )
  try {
    const job = {
      scope: packClass,
      intent: pack,
      body: pack,
      position: 0,
      contents: contents.open,
      signal: never,
      ...(planned && { planned }),
    }
    const segment = await writeSegment(ground, job)
    const judged = checkHolders(ground, packClass.policy, [segment])
    const written = { segment, judged, layout: contents.layout(), bytes: contents.capacity() }
    const outcomes = await ground.spans.within('commit', () =>
      commitPack(ground, packClass, written, jobs, guard, next),
    )
    if (next) keep?.(next)
    return outcomes
  } catch (error) {
    const open = await giveUp(ground, pack)
    if (!hasCode(error, 'database.uncertain')) throw error
    // The intent decides: still open means that the commit did not happen, and now never will.
    if (open === true) throw storageError('commit.lost', {}, error)
    if (open === undefined) throw storageError('commit.uncertain', {}, error)
    return findOutcomes(ground, jobs, error)
  } finally {
    contents.release()
  }
}

/** `judged`: version of the directory by which its holders are good. */
type Written = { segment: Segment; judged: number; layout: PackLayout; bytes: number }

function commitPack(
  ground: Ground,
  packClass: PackClass,
  { segment, judged, layout, bytes }: Written,
  jobs: readonly PackJob[],
  guard: Guard,
  next: PlannedPack | undefined,
): Promise<PackOutcome[]> {
  const now = ground.clock.now()
  const pack = segment.body
  return account(
    ground,
    function* (ledger) {
      yield* guard()
      yield* checkDirectory(judged)
      if (!(yield* closeIntent(pack, new Set(segment.names), now + ground.limits.strayMs)))
        throw storageError('commit.lost')
      if (next) yield* keepPlan(next)
      yield* keepPackClass(packClass)
      if (segment.epoch < (yield* holdClassFloor(packClass.id))) throw storageError('key.retired')
      yield* insertSegment(segment)
      yield* insertPack({ id: pack, class: packClass.id, bytes, live: jobs.reduce((sum, { size }) => sum + size, 0) })
      const outcomes: PackOutcome[] = []
      let refused = 0
      const seen: SeenBuckets = new Map()
      for (const [slot, job] of jobs.entries()) {
        const { shard, start } = layout.places[slot] as PackLayout['places'][number]
        try {
          const write = yield* job.decide(seen, ledger)
          outcomes.push({ value: yield* write({ pack, slot, shard, start }) })
        } catch (error) {
          // A driver's error is no refusal of one object: it ends the transaction.
          if (!(error instanceof PelagoError)) throw error
          outcomes.push({ error })
          refused += job.size
        }
      }
      yield* shrinkPack(pack, refused, now + ground.limits.readerGraceMs)
      return outcomes
      // Each object decides by its key's row, which it writes, and by its bucket, which it holds; the intent is taken away.
    },
    'snapshot',
  )
}

/** The commit happened, only its answer was lost. */
async function findOutcomes(ground: Ground, jobs: readonly PackJob[], error: unknown): Promise<PackOutcome[]> {
  return ground.index.read(function* () {
    const outcomes: PackOutcome[] = []
    for (const job of jobs) {
      const value = yield* job.find()
      outcomes.push(value === undefined ? { error: storageError('commit.lost', {}, error) } : { value })
    }
    return outcomes
  })
}

const never = new AbortController().signal

function* noGuard(): ReturnType<Guard> {}
