import { hasCode } from '#kernel'
import { storageError } from '../errors.ts'
import { ascendingName, type Ground } from '../ground.ts'
import type { PackClass } from '../index/packs.store.ts'
import { checkHolders } from '../write/commit-body.ts'
import { giveUp } from '../write/give-up.ts'
import { writeSegment } from '../write/write-segment.ts'
import { packContents } from './contents.ts'
import { commitPack, type PackOutcome } from './commit-pack.ts'
import type { PackJob } from './job.ts'
import type { PlannedPack } from './plan-ahead.ts'
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
