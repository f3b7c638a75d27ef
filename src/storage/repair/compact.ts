import { hasCode } from '#kernel'
import type { Ground } from '../ground.ts'
import { advancePolicyMove, duePacks, hasPolicyMove, type Pack } from '../index/packs.store.ts'
import { repack } from './repack.ts'
import type { Guard } from './replace-committed.ts'

/** Loose packs of one class that make it worth writing them anew: each object is then moved few times in its life. */
const enoughPacks = 8
const packsAtOnce = 64
/** Live bytes that are moved at once, and how small a part of the memory for writes they are at the most. */
const bytesAtOnce = 4 * 1024 * 1024
const partOfMemory = 1 / 16
/** Objects of a bucket with a new policy that are looked at in one step. */
const pageObjects = 500

/**
 * One bounded round: packs that hold little any more, or never held much, are written together; packs under a policy that
 * their objects' buckets no longer have are written anew.
 * @returns whether there is more to do right away
 */
export async function compactRound(ground: Ground, guard: Guard, signal: AbortSignal): Promise<'more' | 'idle'> {
  const looked = await ground.index.read(hasPolicyMove)
  if (looked) {
    await ground.index.transact(function* () {
      yield* guard()
      yield* advancePolicyMove(pageObjects)
    })
  }
  const due = await ground.index.read(() => duePacks(enoughPacks, packsAtOnce))
  const chosen = fitting(due, Math.min(bytesAtOnce, ground.limits.writeMemoryBytes * partOfMemory))
  if (chosen.length === 0) return looked ? 'more' : 'idle'
  try {
    const moved = await repack(
      ground,
      chosen.map(({ id }) => id),
      guard,
      signal,
    )
    if (moved > 0) ground.log('info', 'packs.compacted', { packs: chosen.length, objects: moved })
    return moved > 0 || looked ? 'more' : 'idle'
  } catch (error) {
    if (signal.aborted || hasCode(error, 'work.fenced')) throw error
    const reason = error instanceof Error ? error.message : String(error)
    ground.log('warn', 'packs.uncompacted', { packs: chosen.length, reason })
    return 'idle'
  }
}

/** As many as fit into one new pack, but always one. */
function fitting(packs: readonly Pack[], most: number): Pack[] {
  let bytes = 0
  return packs.filter(({ live }, at) => {
    bytes += live
    return at === 0 || bytes <= most
  })
}
