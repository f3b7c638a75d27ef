import type { Row, Statement } from '#kernel'
import { judge } from '#pool'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import { holdBucketById } from '../index/buckets.store.ts'
import { checkDirectory } from '../write/check-directory.ts'
import { closeIntent, insertStray } from '../index/intents.store.ts'
import type { Segment } from '../index/segment.ts'
import { deleteGap, replaceSegment } from '../index/segments.store.ts'
import type { PackClass } from '../index/packs.store.ts'
import type { Bucket } from '../object.ts'

/** Throws inside a transaction when this process may no longer do background work. */
export type Guard = () => Generator<Statement, void, Row[]>

/**
 * Puts the repaired segment in place of the old one, if nobody changed it meanwhile. Shards that are not used any more
 * stay for readers that began before, then go to the trash. An outcome that is lost on the way back is no harm: the next
 * round looks at what is there.
 * @throws repair.overtaken, repair.unsafe, directory.older
 */
export async function replaceCommitted(
  ground: Ground,
  scope: Bucket | PackClass,
  intent: string,
  segment: Segment,
  next: Segment,
  guard: Guard,
): Promise<void> {
  const now = ground.clock.now()
  const judged = checkMoved(ground, scope, segment, next)
  const names = new Set(next.names)
  await ground.index.transact(function* () {
    yield* guard()
    yield* checkDirectory(judged)
    const bucket = 'policyEpoch' in scope ? yield* holdBucketById(scope.id) : undefined
    // Keys that are as they were may be old: the rotation of keys has still to come by.
    const kept = next.epoch === segment.epoch
    const valid =
      'policyEpoch' in scope
        ? bucket?.policyEpoch === scope.policyEpoch && (kept || next.epoch >= bucket.keyFloor)
        : kept
    const open = yield* closeIntent(intent, names, now + ground.limits.strayMs)
    const swapped = open && valid && (yield* replaceSegment(segment, next))
    if (!swapped) throw storageError('repair.overtaken', { segment: segment.segment })
    for (const [shard, name] of segment.names.entries()) {
      if (names.has(name)) continue
      yield* insertStray(segment.holders[shard] as string, name, now + ground.limits.readerGraceMs)
      yield* deleteGap(segment, shard)
    }
  })
}

/** The directory may have changed since the new places were chosen. @returns the version by which they are good */
function checkMoved(ground: Ground, scope: Bucket | PackClass, segment: Segment, next: Segment): number {
  const directory = ground.directory()
  const eligible = new Set(judge(directory, scope.policy).eligible.map(({ id }) => id))
  const before = new Set(segment.names)
  const moved = next.holders.filter((_, shard) => !before.has(next.names[shard] as string))
  if (!moved.every((id) => eligible.has(id))) throw storageError('repair.unsafe', { segment: segment.segment })
  return directory.version
}
