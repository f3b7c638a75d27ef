import { hasCode } from '#kernel'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import type { Packed } from '../index/objects.store.ts'
import type { Segment } from '../index/segment.ts'
import { segmentAt } from '../index/segments.store.ts'
import type { ByteRange } from '../object.ts'
import { type Piece, piecesOf } from '../pack/layout.ts'
import { openSealed, type SealedSpan, sealedBytes, sealedSpan } from '../seal/object-seal.ts'
import { columnBytes, columnOf, columnSpan, fullCellBytes, segmentShape, type SegmentShape } from '../seal/shape.ts'
import { columnFrom, fetchRows, unitsOf } from './fetch-rows.ts'
import { noteGap } from './note-gap.ts'
import { openSegment } from './open-segment.ts'
import { raceShards } from './race-shards.ts'

/** An object in a pack, as the index has it. */
export type PackedObject = { tenant: string; bucket: string; version: string; size: number; packed: Packed }

/**
 * Reads a stretch of an object that lies in a pack: one request to one provider when it is whole there. The object's own
 * tag proves what comes; the pack's tags are only looked at, and its other shards only asked, when something is wrong.
 * @throws object.damaged, key.commitment
 */
export async function readPacked(
  ground: Ground,
  object: PackedObject,
  range: ByteRange,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const id = Buffer.from(object.version, 'hex')
  const { packed, size, tenant } = object
  const wrapped = { epoch: packed.epoch, data: packed.dataKey, commitment: packed.commitment }
  const span = sealedSpan(size, range.first, range.last)
  const [segment, key] = await Promise.all([
    packOf(ground, packed.pack),
    ground.keys.unwrapData(object.bucket, id, wrapped),
  ])
  const memory = (span.to - span.from) * 2
  await ground.readMemory.take(memory)
  try {
    const open = (sealed: Uint8Array) => openSealed({ tenant, id, key }, size, sealed, span.start)
    const stretch = stretchOf(segment, packed, size, span)
    const plaintext = await readStretch(ground, segment, stretch, signal, open)
    return plaintext.subarray(range.first - span.start, range.last - span.start + 1)
  } finally {
    ground.readMemory.give(memory)
  }
}

/** Where a pack lies. What is remembered may be old: repair may have moved a shard since, which the caller notices. */
async function packOf(ground: Ground, pack: string): Promise<Segment> {
  const known = ground.packs.get(pack)
  if (known) return known
  const segment = await ground.index.read(() => segmentAt({ body: pack, position: 0 }))
  if (!segment) throw storageError('object.damaged', { key: pack, readable: 0, needed: 1 })
  ground.packs.set(pack, segment)
  return segment
}

/** The pieces wanted, and one stretch of columns that covers them all: other shards stand in with the same stretch. */
type Stretch = { shape: SegmentShape; pieces: Piece[]; from: number; to: number }

/** The code works on 16 bytes at a time. */
const codeStep = 16

function stretchOf(segment: Segment, packed: Packed, size: number, span: SealedSpan): Stretch {
  const shape = segmentShape(segment.size, segment.k, segment.m)
  const pieces = piecesOf(packed, sealedBytes(size), segment.k, span.from, span.to)
  const from = Math.min(...pieces.map((piece) => piece.start))
  const to = Math.max(...pieces.map((piece) => piece.start + piece.to - piece.from))
  return {
    shape,
    pieces,
    from: from - (from % codeStep),
    to: Math.min(columnBytes(shape), Math.ceil(to / codeStep) * codeStep),
  }
}

/** Tries the quick way, then the one that finds out who lies, then where the pack lies by now. */
async function readStretch(
  ground: Ground,
  segment: Segment,
  stretch: Stretch,
  signal: AbortSignal,
  open: (sealed: Uint8Array) => Uint8Array,
): Promise<Uint8Array> {
  try {
    return open(sealedOf(stretch, await fetchColumns(ground, segment, stretch, signal)))
  } catch (error) {
    if (!hasCode(error, 'object.damaged')) throw error
  }
  try {
    return open(sealedOf(stretch, await fetchProven(ground, segment, stretch, signal)))
  } catch (error) {
    // The key of what is remembered may have been destroyed since.
    if (!hasCode(error, 'object.damaged', 'key.lost')) throw error
    ground.packs.delete(segment.body)
    const current = await packOf(ground, segment.body)
    if (current.generation === segment.generation) throw error
    return open(sealedOf(stretch, await fetchProven(ground, current, stretch, signal)))
  }
}

/** Puts the pieces together. */
function sealedOf({ pieces, from }: Stretch, columns: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const parts = pieces.map((piece) => {
    const column = columns.get(piece.shard) as Uint8Array
    return column.subarray(piece.start - from, piece.start - from + piece.to - piece.from)
  })
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
}

/** The stretch of each wanted column, computed out of others where one does not come. Nothing is proven yet. */
async function fetchColumns(
  ground: Ground,
  segment: Segment,
  { shape, pieces, from, to }: Stretch,
  signal: AbortSignal,
): Promise<Map<number, Uint8Array>> {
  const wanted = pieces.map((piece) => piece.shard)
  const span = columnSpan(from, to)
  const got = await raceShards<Uint8Array>(ground, {
    holders: segment.holders,
    need: segment.k,
    wanted,
    units: unitsOf(span.length),
    key: segment.body,
    async ask(shard, ended) {
      const shards = ground.shards(segment.holders[shard] as string)
      return columnOf(await shards.read(segment.names[shard] as string, span.offset, span.length, ended), from, to)
    },
    discard: () => {},
    failed(shard, error) {
      // What is remembered of this pack may be old.
      ground.packs.delete(segment.body)
      if (hasCode(error, 'shard.missing')) noteGap(ground, segment, shard, 'missing')
    },
    signal,
  })
  const missing = wanted.filter((shard) => !got.has(shard))
  if (missing.length === 0) return got
  const coder = await ground.coders.coder(shape.k, shape.m)
  const sources = [...got].slice(0, shape.k).map(([shard, bytes]) => ({ shard, bytes }))
  const made = missing.map((shard) => ({ shard, bytes: Buffer.allocUnsafeSlow(to - from) }))
  coder.rebuild(sources, made, to - from)
  for (const { shard, bytes } of made) got.set(shard, bytes)
  return got
}

/** The same out of whole cells, each proven by its own tag, so that a shard that lies is found and noted. */
async function fetchProven(
  ground: Ground,
  segment: Segment,
  { shape, pieces, from, to }: Stretch,
  signal: AbortSignal,
): Promise<Map<number, Uint8Array>> {
  const rows = { first: Math.floor(from / fullCellBytes), last: Math.floor((to - 1) / fullCellBytes) }
  const wanted = pieces.map((piece) => piece.shard)
  const { cells } = await fetchRows(ground, await openSegment(ground, segment), rows, wanted, 'tags', signal)
  return new Map(wanted.map((shard) => [shard, columnFrom(shape, cells.get(shard) as Uint8Array, rows, from, to)]))
}
