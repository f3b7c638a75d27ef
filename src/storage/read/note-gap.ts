import type { Ground } from '../ground.ts'
import type { Segment } from '../index/segment.ts'
import { type Gap, insertGap, segmentAt } from '../index/segments.store.ts'

/**
 * Remembers that a shard is lost, for repair. Only when the segment is still as it was read: a shard that was moved
 * meanwhile is rightly missing at its old place.
 */
export function noteGap(ground: Ground, segment: Segment, shard: number, reason: Gap['reason']): void {
  const { body, position } = segment
  ground.meters.gaps[reason].add()
  const gap: Gap = { body, position, shard, reason, since: ground.clock.now() }
  ground.index
    .transact(function* () {
      const current = yield* segmentAt(segment)
      if (current?.generation === segment.generation) yield* insertGap(gap)
    })
    .then(
      () =>
        ground.log('warn', 'shard.lost', {
          provider: segment.holders[shard] as string,
          segment: segment.segment,
          reason,
        }),
      (error: unknown) => ground.log('error', 'gap.unnoted', { segment: segment.segment, reason: String(error) }),
    )
}
