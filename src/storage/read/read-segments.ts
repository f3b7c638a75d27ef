import { hasCode, turn } from '#kernel'
import type { Ground } from '../ground.ts'
import type { Segment } from '../index/segment.ts'
import { segmentAt } from '../index/segments.store.ts'
import type { ByteRange } from '../object.ts'
import type { SegmentSeal } from '../seal/segment-seal.ts'
import { cellBytes, cellOverhead, fullCellBytes, locate } from '../seal/shape.ts'
import { cellOf, fetchRows, type ReadableSegment, type RowRange } from './fetch-rows.ts'
import { openSeal, openSegment } from './open-segment.ts'

/** Bytes of one segment, counted from its start. */
export type SegmentRange = { segment: Segment; range: ByteRange }

/** The stored cells of some rows, in memory that was taken for them. */
type Window = {
  /** Opens them one after the other, from so many bytes behind the window's first on. @throws shard.corrupt */
  plaintext(skip: number): Generator<Uint8Array>
  /** The same window out of cells whose own tags were checked, so that whoever lies is left out and named. */
  prove(): Promise<Fetched>
  release(): void
}
type Fetched = Pick<Window, 'plaintext' | 'release'>

/** Opening a cell and handing it on takes a tenth of a millisecond; after so many others have their turn. */
const cellsPerTurn = 8

/** Each window is this much larger than the last: the first byte comes soon, and a long read needs few requests. */
const growth = 4

/**
 * Reads stretches of segments as one run of plaintext, window by window. The windows behind are fetched while one is
 * being consumed, as far as the memory for reads allows.
 * @param ranges the stretches in their order; asked for one when it is wanted
 * @throws object.damaged, memory.full
 */
export async function* readSegments(
  ground: Ground,
  tenant: string,
  ranges: AsyncIterable<SegmentRange>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const windows = openWindows(ground, tenant, ranges, signal)
  const ahead: Promise<Window>[] = []
  let cells = 0
  const fetchNext = async (must: boolean): Promise<boolean> => {
    const fetched = await windows.next(must)
    if (!fetched) return false
    fetched.window.catch(() => 'seen when its turn comes')
    ahead.push(fetched.window)
    return true
  }
  const fetchAhead = async () => {
    while (ahead.length < ground.limits.readAhead && (await fetchNext(false)));
  }
  try {
    while (ahead.length > 0 || (await fetchNext(true))) {
      await fetchAhead()
      const window = await (ahead.shift() as Promise<Window>)
      try {
        await fetchAhead()
        for await (const cell of openWindow(window)) {
          yield cell
          if (++cells % cellsPerTurn === 0) await turn(ground.clock)
        }
      } finally {
        window.release()
      }
    }
  } finally {
    // What a reader that left early no longer wants goes back when it has come.
    for (const fetched of ahead) {
      fetched.then(
        (window) => window.release(),
        () => 'it took its memory back itself',
      )
    }
  }
}

/** Opens a window; a cell that does not open is fetched anew with proof, and the rest of the window with it. */
async function* openWindow(window: Window): AsyncGenerator<Uint8Array> {
  let opened = 0
  try {
    for (const cell of window.plaintext(0)) {
      // Once handed on, its memory may be gone.
      const { length } = cell
      yield cell
      opened += length
    }
    return
  } catch (error) {
    if (!hasCode(error, 'shard.corrupt')) throw error
  }
  const proven = await window.prove()
  try {
    yield* proven.plaintext(opened)
  } finally {
    proven.release()
  }
}

/** Reads a whole segment. */
export function readSegment(
  ground: Ground,
  tenant: string,
  segment: Segment,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  async function* whole(): AsyncGenerator<SegmentRange> {
    yield { segment, range: { first: 0, last: segment.size - 1 } }
  }
  return readSegments(ground, tenant, whole(), signal)
}

/** Cuts the stretches into windows and begins to fetch one after the other. */
function openWindows(ground: Ground, tenant: string, ranges: AsyncIterable<SegmentRange>, signal: AbortSignal) {
  const stretches = ranges[Symbol.asyncIterator]()
  let reader: SegmentReader | undefined
  let from = 0
  let last = -1
  let rows = 1
  return {
    /** @param must waits for memory; otherwise there is no window when there is no room for it */
    async next(must: boolean): Promise<{ window: Promise<Window> } | undefined> {
      if (from > last) {
        const stretch = await stretches.next()
        if (stretch.done) return undefined
        reader = openReader(ground, tenant, stretch.value.segment, signal)
        ;({ first: from, last } = stretch.value.range)
      }
      const { load, k } = reader as SegmentReader
      const rowAt = (byte: number) => Math.floor(byte / (k * fullCellBytes))
      const endOf = (count: number) => Math.min((rowAt(from) + count) * k * fullCellBytes - 1, last)
      const memoryOf = (count: number) => (rowAt(endOf(count)) - rowAt(from) + 1) * k * (fullCellBytes + cellOverhead)
      let bytes = memoryOf(rows)
      while (!ground.readMemory.tryTake(bytes)) {
        if (rows === 1 && !must) return undefined
        if (rows === 1) {
          await ground.readMemory.take(bytes)
          break
        }
        rows = Math.ceil(rows / growth)
        bytes = memoryOf(rows)
      }
      const range = { first: from, last: endOf(rows) }
      from = range.last + 1
      rows = Math.min(rows * growth, ground.limits.windowRows)
      const give = () => ground.readMemory.give(bytes)
      const window = load(range, 'seal').then(
        (fetched) => ({
          ...fetched,
          prove: () => load(range, 'tags'),
          release() {
            fetched.release()
            give()
          },
        }),
        (error: unknown) => {
          give()
          throw error
        },
      )
      return { window }
    },
  }
}

type SegmentReader = { k: number; load(range: ByteRange, proof: 'tags' | 'seal'): Promise<Fetched> }

function openReader(ground: Ground, tenant: string, segment: Segment, signal: AbortSignal): SegmentReader {
  let opened = openWhole(ground, tenant, segment)
  opened.catch(() => 'seen by whoever loads')
  return {
    k: segment.k,
    async load(range, proof) {
      try {
        return await fetchWindow(ground, await opened, range, proof, signal)
      } catch (error) {
        if (!hasCode(error, 'object.damaged')) throw error
        // Repair may have moved it since the index was asked; if it did, its bytes are where the index says now.
        const current = await ground.index.read(() => segmentAt(segment))
        if (!current || current.generation === segment.generation) throw error
        opened = openWhole(ground, tenant, current)
        return fetchWindow(ground, await opened, range, proof, signal)
      }
    },
  }
}

type Opened = { readable: ReadableSegment; seal: SegmentSeal }

async function openWhole(ground: Ground, tenant: string, segment: Segment): Promise<Opened> {
  const readable = await openSegment(ground, segment)
  return { readable, seal: await openSeal(ground, tenant, readable) }
}

/** One window: the cells that hold its bytes, each shard asked once. They are opened and cut when their turn comes. */
async function fetchWindow(
  ground: Ground,
  { readable, seal }: Opened,
  window: ByteRange,
  proof: 'tags' | 'seal',
  signal: AbortSignal,
): Promise<Fetched> {
  const { shape } = readable
  const start = locate(shape, window.first)
  const end = locate(shape, window.last)
  const rows: RowRange = { first: start.row, last: end.row }
  const shards = new Set<number>()
  for (const { row, shard } of cellsBetween(start, end, shape.k)) {
    shards.add(shard)
    if (shards.size === shape.k || row > start.row + 1) break
  }
  const { cells, release } = await fetchRows(ground, readable, rows, [...shards], proof, signal)
  return {
    *plaintext(skip) {
      if (window.first + skip > window.last) return
      const begin = locate(shape, window.first + skip)
      for (const { row, shard } of cellsBetween(begin, end, shape.k)) {
        const plain = seal.open(row, shard, cellOf(shape, cells.get(shard) as Uint8Array, rows, row))
        const from = row === begin.row && shard === begin.shard ? begin.within : 0
        const to = row === end.row && shard === end.shard ? end.within + 1 : cellBytes(shape, row)
        yield from === 0 && to === plain.length ? plain : plain.subarray(from, to)
      }
    },
    release,
  }
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
