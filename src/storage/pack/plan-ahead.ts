import { hasCode, type Row, type Statement } from '#kernel'
import { ascendingName, freshName, type Ground } from '../ground.ts'
import { planShards } from '../index/intents.store.ts'
import type { PackClass } from '../index/packs.store.ts'
import { chooseHolders } from '../write/choose.ts'
import type { PlannedSegment } from '../write/write-segment.ts'

/**
 * Holders and names of the shards of a class's next pack, planned in the commit of the pack before: so the plan costs no sync
 * of its own, and the shards leave as soon as there is something to write. An intent like any other: what is never
 * written expires, and the sweep clears it away.
 */
export type PlannedPack = PlannedSegment & { pack: string }

/** Chooses for the next pack. @returns undefined when there is no choice now; the next pack itself will say why, if it still is so */
export function preparePack(ground: Ground, { policy }: PackClass): PlannedPack | undefined {
  try {
    const choice = chooseHolders(ground, policy, new Set())
    return {
      pack: ascendingName(ground),
      choice,
      shards: choice.holders.map(({ id }) => ({ provider: id, name: freshName(ground) })),
      directory: ground.directory().version,
      // Whoever begins to write it has as much time left as with a plan of its own.
      expiresAt: ground.clock.now() + 2 * ground.limits.intentMs,
    }
  } catch (error) {
    if (hasCode(error, 'pool.short', 'pool.full', 'directory.expired')) return undefined
    throw error
  }
}

/** Writes the plan down, within the commit of another pack. */
export function* keepPlan({ pack, expiresAt, shards }: PlannedPack): Generator<Statement, void, Row[]> {
  yield* planShards(pack, expiresAt, [...shards])
}
