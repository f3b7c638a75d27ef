import { PelagoError } from '#kernel'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import { closeIntent } from '../index/intents.store.ts'
import { holdClassFloor } from '../index/key-moves.store.ts'
import { insertPack, keepPackClass, type PackClass, shrinkPack } from '../index/packs.store.ts'
import type { Segment } from '../index/segment.ts'
import { insertSegment } from '../index/segments.store.ts'
import { account } from '../quota/account.ts'
import type { Guard } from '../repair/replace-committed.ts'
import { checkDirectory } from '../write/check-directory.ts'
import type { PackJob, SeenBuckets } from './job.ts'
import type { PackLayout } from './layout.ts'
import { keepPlan, type PlannedPack } from './plan-ahead.ts'

export type PackOutcome = { value: unknown } | { error: unknown }

/** `judged`: version of the directory by which its holders are good. */
export type WrittenPack = { segment: Segment; judged: number; layout: PackLayout; bytes: number }

/**
 * Makes a written pack count, with all that its objects are for, in one transaction. What refuses one object alone is its outcome.
 * @throws commit.lost, key.retired, directory.older: then none was stored
 */
export function commitPack(
  ground: Ground,
  packClass: PackClass,
  { segment, judged, layout, bytes }: WrittenPack,
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
