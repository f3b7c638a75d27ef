import { hasCode } from '#kernel'
import type { Coder } from '../code/coder.ts'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import type { Segment } from '../index/segment.ts'
import type { SegmentTags } from '../seal/segment-seal.ts'
import { cellBytes, cellOffset, cellOverhead, fullCellBytes, type SegmentShape } from '../seal/shape.ts'
import { codedBytes } from '../write/encode-row.ts'
import { noteGap } from './note-gap.ts'
import { raceShards } from './race-shards.ts'

/** A segment with what is needed to ask providers for its cells and to believe them. */
export type ReadableSegment = { segment: Segment; shape: SegmentShape; tags: SegmentTags; coder: Coder }

export type RowRange = { first: number; last: number }

/**
 * Fetches the stored cells of `wanted` shards for a range of rows, each shard by one request. What is dark, slow or lost is
 * made up for out of other shards; so is what lies, when tags are checked.
 * @param proof `tags`: every cell's own tag is checked. `seal`: none is, for whoever opens the cells with the data key and
 *   fetches them again with `tags` should one not open: the seal proves as much, and checking twice costs a tenth of a read
 * @param without shards never to ask, such as the one under repair
 * @returns for every wanted shard the stored cells of the rows, one after the other. `release` gives their memory back when
 *   nobody looks at them any more; what is never released is left to the collector.
 * @throws object.damaged when fewer than k shards answer with valid cells
 */
export async function fetchRows(
  ground: Ground,
  readable: ReadableSegment,
  rows: RowRange,
  wanted: readonly number[],
  proof: 'tags' | 'seal',
  signal: AbortSignal,
  without: ReadonlySet<number> = new Set(),
): Promise<{ cells: Map<number, Uint8Array>; release(): void }> {
  const { segment, shape } = readable
  let failures = 0
  const got = await raceShards(ground, {
    holders: segment.holders,
    need: shape.k,
    wanted,
    without,
    units: unitsOf(spanOf(shape, rows)),
    key: segment.body,
    ask: (shard, ending) => readCells(ground, readable, rows, shard, proof, ending),
    discard: (cells) => giveBack(ground, cells),
    failed(shard, error) {
      failures++
      report(ground, readable, shard, error)
    },
    signal,
  })
  if (failures > 0) ground.log('info', 'segment.rebuilt', { segment: segment.segment, failures })
  rebuildMissing(ground, readable, rows, wanted, got)
  return {
    cells: got,
    release() {
      for (const cells of got.values()) giveBack(ground, cells)
    },
  }
}

/** A provider's times are noted per this many cells, so that a long read is not taken for a slow provider. */
const unitCells = 4
export const unitsOf = (bytes: number) => Math.max(1, bytes / (unitCells * fullCellBytes))

/** @throws shard.corrupt when a tag does not match, or what the provider answers */
async function readCells(
  ground: Ground,
  { segment, shape, tags }: ReadableSegment,
  rows: RowRange,
  shard: number,
  proof: 'tags' | 'seal',
  signal: AbortSignal,
): Promise<Uint8Array> {
  const provider = segment.holders[shard] as string
  const length = spanOf(shape, rows)
  const into = ground.buffers.takeAtLeast(length)
  try {
    const name = segment.names[shard] as string
    const cells = await ground.shards(provider).read(name, cellOffset(shape, rows.first), length, signal, into)
    for (let row = rows.first; proof === 'tags' && row <= rows.last; row++) {
      if (!tags.verify(row, shard, cellOf(shape, cells, rows, row))) throw storageError('shard.corrupt', { provider })
    }
    return cells
  } catch (error) {
    ground.buffers.give(into)
    throw error
  }
}

/** Stored bytes of these rows in one shard. */
const spanOf = (shape: SegmentShape, { first, last }: RowRange) =>
  cellOffset(shape, last) - cellOffset(shape, first) + cellBytes(shape, last) + cellOverhead

/** Gives the memory back that cells lie at the beginning of. */
function giveBack(ground: Ground, cells: Uint8Array): void {
  ground.buffers.give(new Uint8Array(cells.buffer))
}

/** A stretch of a shard's column, from `from` up to `to`, out of the stored cells of rows that hold it. */
export function columnFrom(
  shape: SegmentShape,
  cells: Uint8Array,
  rows: RowRange,
  from: number,
  to: number,
): Uint8Array {
  const column = Buffer.allocUnsafeSlow(to - from)
  for (let at = from; at < to; ) {
    const row = Math.floor(at / fullCellBytes)
    const start = row * fullCellBytes
    const end = Math.min(to, start + fullCellBytes)
    column.set(cellOf(shape, cells, rows, row).subarray(at - start, end - start), at - from)
    at = end
  }
  return column
}

/** One stored cell out of those of a range of rows. */
export function cellOf(shape: SegmentShape, cells: Uint8Array, rows: RowRange, row: number): Uint8Array {
  const at = cellOffset(shape, row) - cellOffset(shape, rows.first)
  return cells.subarray(at, at + cellBytes(shape, row) + cellOverhead)
}

function report(ground: Ground, readable: ReadableSegment, shard: number, error: unknown): void {
  if (hasCode(error, 'shard.missing')) noteGap(ground, readable.segment, shard, 'missing')
  if (hasCode(error, 'shard.corrupt')) noteGap(ground, readable.segment, shard, 'corrupt')
}

/** Computes the wanted shards that did not come, row by row, out of k that did. Their own tag stays empty. */
function rebuildMissing(
  ground: Ground,
  { shape, coder }: ReadableSegment,
  rows: RowRange,
  wanted: readonly number[],
  got: Map<number, Uint8Array>,
): void {
  const missing = wanted.filter((shard) => !got.has(shard))
  if (missing.length === 0) return
  const sources = [...got].slice(0, shape.k)
  const length = spanOf(shape, rows)
  const made = missing.map((shard) => ({ shard, cells: ground.buffers.takeAtLeast(length).subarray(0, length) }))
  for (let row = rows.first; row <= rows.last; row++) {
    coder.rebuild(
      sources.map(([shard, cells]) => ({ shard, bytes: cellOf(shape, cells, rows, row) })),
      made.map(({ shard, cells }) => ({ shard, bytes: cellOf(shape, cells, rows, row) })),
      codedBytes(shape, row),
    )
  }
  for (const { shard, cells } of made) got.set(shard, cells)
}
