import { hasCode, release } from '#kernel'
import type { Ground } from '../ground.ts'
import type { Segment } from '../index/segment.ts'
import { segmentAt } from '../index/segments.store.ts'
import type { ByteRange } from '../object.ts'
import type { SegmentSeal } from '../seal/segment-seal.ts'
import { cellBytes, fullCellBytes, locate } from '../seal/shape.ts'
import { cellOf, fetchRows, type ReadableSegment, type RowRange } from './fetch-rows.ts'
import { openSeal, openSegment } from './open-segment.ts'

type Opened = { readable: ReadableSegment; seal: SegmentSeal }

/**
 * Reads bytes of one segment as plaintext, window by window; some windows are fetched ahead of the reader.
 * @param range within the segment
 */
export async function* readSegment(
  ground: Ground,
  tenant: string,
  segment: Segment,
  range: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let opened = openWhole(ground, tenant, segment)
  await opened
  const windows = windowsOf(range, segment.k, ground.limits.windowRows)
  const ahead: Promise<Uint8Array[]>[] = []
  const load = async (window: ByteRange): Promise<Uint8Array[]> => {
    try {
      return await readWindow(ground, await opened, window, signal)
    } catch (error) {
      if (!hasCode(error, 'object.damaged')) throw error
      // Repair may have moved it since the index was asked; if it did, its bytes are where the index says now.
      const current = await ground.index.read(() => segmentAt(segment))
      if (!current || current.generation === segment.generation) throw error
      opened = openWhole(ground, tenant, current)
      return readWindow(ground, await opened, window, signal)
    }
  }
  const begin = () => {
    const window = windows.next()
    if (window.done) return
    const fetched = load(window.value)
    fetched.catch(() => 'seen when its turn comes')
    ahead.push(fetched)
  }
  for (let at = 0; at <= ground.limits.readAhead; at++) begin()
  for (let next = ahead.shift(); next; next = ahead.shift()) {
    const chunks = await next
    begin()
    yield* chunks
  }
}

async function openWhole(ground: Ground, tenant: string, segment: Segment): Promise<Opened> {
  const readable = await openSegment(ground, segment)
  return { readable, seal: await openSeal(ground, tenant, readable) }
}

/** Cuts a range at every `rows` rows of the segment. The first window is one row, so that the first byte comes soon. */
function* windowsOf({ first, last }: ByteRange, k: number, rows: number): Generator<ByteRange> {
  const rowBytes = k * fullCellBytes
  let from = first
  let size = 1
  while (from <= last) {
    const end = (Math.floor(from / rowBytes) + size) * rowBytes - 1
    yield { first: from, last: Math.min(end, last) }
    from = end + 1
    size = rows
  }
}

/** One window: the cells that hold its bytes, each shard asked once, opened and cut. */
async function readWindow(
  ground: Ground,
  { readable, seal }: Opened,
  window: ByteRange,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const { shape } = readable
  const start = locate(shape, window.first)
  const end = locate(shape, window.last)
  const rows: RowRange = { first: start.row, last: end.row }
  const shards = new Set<number>()
  for (const { row, shard } of cellsBetween(start, end, shape.k)) {
    shards.add(shard)
    if (shards.size === shape.k || row > start.row + 1) break
  }
  const cells = await fetchRows(ground, readable, rows, [...shards], signal)
  const chunks: Uint8Array[] = []
  for (const { row, shard } of cellsBetween(start, end, shape.k)) {
    const stored = cellOf(shape, cells.get(shard) as Uint8Array, rows, row)
    const plain = seal.open(row, shard, stored)
    const from = row === start.row && shard === start.shard ? start.within : 0
    const to = row === end.row && shard === end.shard ? end.within + 1 : cellBytes(shape, row)
    chunks.push(from === 0 && to === plain.length ? plain : plain.subarray(from, to))
  }
  for (const read of cells.values()) release(read)
  return chunks
}

type CellPlace = { row: number; shard: number }

function* cellsBetween(start: CellPlace, end: CellPlace, k: number): Generator<CellPlace> {
  for (let { row, shard } = start; row < end.row || (row === end.row && shard <= end.shard); ) {
    yield { row, shard }
    shard++
    if (shard === k) {
      shard = 0
      row++
    }
  }
}
