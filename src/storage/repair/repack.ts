import { hasCode } from '#kernel'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import { allBuckets, holdEpochs } from '../index/buckets.store.ts'
import { findCurrent, type Packed } from '../index/objects.store.ts'
import { dropSlot, type PackClass, packClassOf } from '../index/packs.store.ts'
import type { Segment } from '../index/segment.ts'
import { segmentAt } from '../index/segments.store.ts'
import { type LiveSlot, liveSlots, moveSlot } from '../index/slots.store.ts'
import { piecesOf } from '../pack/layout.ts'
import type { PackJob } from '../pack/job.ts'
import { writePack } from '../pack/write-pack.ts'
import { columnFrom, fetchRows } from '../read/fetch-rows.ts'
import { openSegment } from '../read/open-segment.ts'
import { sealedBytes } from '../seal/object-seal.ts'
import type { Guard } from './replace-committed.ts'

/** Memory that moving takes, as a multiple of what lives: sealed as it was, laid out, coded. */
const copies = 4

/** An object as it is sealed, on its way from one pack to another. */
type Sealed = { slot: LiveSlot; sealed: Uint8Array }
type Moving = Sealed & { policyEpoch: number }

/**
 * Writes what lives in these packs into new ones, each object under the policy that its bucket has now. Objects stay
 * sealed: no data key is needed. Whoever replaces or deletes one meanwhile wins; a pack that is left empty is buried.
 * @returns how many objects were moved
 * @throws pool.short, pool.full, write.troubled, work.fenced
 */
export async function repack(
  ground: Ground,
  packs: readonly string[],
  guard: Guard,
  signal: AbortSignal,
): Promise<number> {
  const { buckets, held } = await ground.index.read(function* () {
    const held: { segment: Segment; slots: LiveSlot[] }[] = []
    for (const pack of packs) {
      const segment = yield* segmentAt({ body: pack, position: 0 })
      if (segment) held.push({ segment, slots: yield* liveSlots(pack) })
    }
    return { buckets: yield* allBuckets(), held }
  })
  const sizes = held.flatMap(({ slots }) => slots.map(({ object }) => object.size))
  const memory = sizes.reduce((sum, size) => sum + size, 0) * copies
  // All at once: whoever takes a little more while holding some may wait for himself.
  await ground.writeMemory.take(memory)
  try {
    const owners = new Map(buckets.map((bucket) => [bucket.id, bucket]))
    const classes = new Map<string, { packClass: PackClass; moving: Moving[] }>()
    for (const { segment, slots } of held) {
      for (const moving of await readSlots(ground, segment, slots, signal)) {
        const owner = owners.get(moving.slot.bucket)
        if (!owner) continue
        const packClass = packClassOf(owner.policy)
        const group = classes.get(packClass.id) ?? { packClass, moving: [] }
        group.moving.push({ ...moving, policyEpoch: owner.policyEpoch })
        classes.set(packClass.id, group)
      }
    }
    let moved = 0
    for (const { packClass, moving } of classes.values()) {
      const jobs = moving.map((one) => moveJob(ground, one, signal))
      const outcomes = await writePack(ground, packClass, jobs, { guard })
      moved += outcomes.filter((outcome) => 'value' in outcome).length
    }
    return moved
  } finally {
    ground.writeMemory.give(memory)
  }
}

/** The sealed bytes of these slots, out of cells that were proven. A pack that cannot be read now is left for later. */
async function readSlots(
  ground: Ground,
  segment: Segment,
  slots: readonly LiveSlot[],
  signal: AbortSignal,
): Promise<Sealed[]> {
  await ground.readMemory.take(segment.size)
  try {
    const readable = await openSegment(ground, segment)
    const { shape } = readable
    const rows = { first: 0, last: shape.rows - 1 }
    const shards = Array.from({ length: shape.k }, (_, shard) => shard)
    const { cells, release } = await fetchRows(ground, readable, rows, shards, 'tags', signal)
    const moving = slots.map((slot) => {
      const length = sealedBytes(slot.object.size)
      const pieces = piecesOf(slot.object.packed as Packed, length, shape.k, 0, length)
      const parts = pieces.map(({ shard, start, from, to }) =>
        columnFrom(shape, cells.get(shard) as Uint8Array, rows, start, start + to - from),
      )
      return { slot, sealed: Buffer.concat(parts) }
    })
    release()
    return moving
  } catch (error) {
    if (!hasCode(error, 'object.damaged')) throw error
    ground.log('warn', 'pack.unread', { pack: segment.body, reason: error.message })
    return []
  } finally {
    ground.readMemory.give(segment.size)
  }
}

/** Liveness is looked at again where it counts: in the commit. */
function moveJob(ground: Ground, { slot, sealed, policyEpoch }: Moving, signal: AbortSignal): PackJob<true> {
  const { bucket, object } = slot
  const old = object.packed as Packed
  return {
    sealed,
    size: object.size,
    signal,
    *decide() {
      const current = yield* findCurrent(bucket, object.key)
      const valid = (yield* holdEpochs(bucket))?.policyEpoch === policyEpoch
      const same = valid && current?.version === object.version && current.packed?.pack === old.pack
      if (!same) throw storageError('repair.overtaken', { segment: old.pack })
      return function* (place) {
        yield* moveSlot(slot, place)
        yield* dropSlot(old.pack, old.slot, object.size, ground.clock.now() + ground.limits.readerGraceMs)
        return true
      }
    },
    *find() {
      const current = yield* findCurrent(bucket, object.key)
      return current?.version === object.version && current.packed?.pack !== old.pack ? true : undefined
    },
  }
}
