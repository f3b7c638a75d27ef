import { hasCode } from '#kernel'
import type { Ground } from '../ground.ts'
import { duePacks, type Pack } from '../index/packs.store.ts'
import { repack } from './repack.ts'
import type { Guard } from './replace-committed.ts'

/** Loose packs of one class that make it worth writing them anew: each object is then moved few times in its life. */
const enoughPacks = 8
const packsAtOnce = 64
/** Live bytes that are moved at once, and how small a part of the memory for writes they are at the most. */
const bytesAtOnce = 4 * 1024 * 1024
const partOfMemory = 1 / 16

export const bytesMoved = ({ limits }: Ground) => Math.min(bytesAtOnce, limits.writeMemoryBytes * partOfMemory)

/**
 * One bounded round: packs that hold little any more, or never held much, are written together.
 * @returns how much was done; nothing when there is nothing to do right away
 */
export async function compactRound(
  ground: Ground,
  guard: Guard,
  signal: AbortSignal,
): Promise<{ packs: number; objects: number }> {
  const due = await ground.index.read(() => duePacks(enoughPacks, packsAtOnce))
  const chosen = fitting(due, bytesMoved(ground))
  if (chosen.length === 0) return { packs: 0, objects: 0 }
  try {
    const objects = await repack(
      ground,
      chosen.map(({ id }) => id),
      guard,
      signal,
    )
    if (objects > 0) ground.log('info', 'packs.compacted', { packs: chosen.length, objects })
    return { packs: objects > 0 ? chosen.length : 0, objects }
  } catch (error) {
    if (signal.aborted || hasCode(error, 'work.fenced')) throw error
    const reason = error instanceof Error ? error.message : String(error)
    ground.log('warn', 'packs.uncompacted', { packs: chosen.length, reason })
    return { packs: 0, objects: 0 }
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
