import { hasCode } from '#kernel'
import type { Coder } from '../code/coder.ts'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import type { Segment } from '../index/segment.ts'
import type { SegmentTags } from '../seal/segment-seal.ts'
import { cellBytes, cellOffset, cellOverhead, fullCellBytes, type SegmentShape } from '../seal/shape.ts'
import { codedBytes } from '../write/encode-row.ts'
import { noteGap } from './note-gap.ts'

/** A segment with what is needed to ask providers for its cells and to believe them. */
export type ReadableSegment = { segment: Segment; shape: SegmentShape; tags: SegmentTags; coder: Coder }

export type RowRange = { first: number; last: number }

/**
 * Fetches the stored cells of `wanted` shards for a range of rows: each shard by one request, every cell's tag checked.
 * What is dark, slow, lost or lying is made up for out of other shards.
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
  signal: AbortSignal,
  without: ReadonlySet<number> = new Set(),
): Promise<{ cells: Map<number, Uint8Array>; release(): void }> {
  const { segment, shape } = readable
  const got = new Map<number, Uint8Array>()
  const flying = new Map<number, { abort: AbortController; slow: boolean }>()
  const untried = candidates(ground, segment, wanted, without)
  let failures = 0
  ground.hedges.earn()

  await new Promise<void>((resolve, reject) => {
    const timers: (() => void)[] = []
    let over = false
    const leave = (settle: () => void) => {
      over = true
      signal.removeEventListener('abort', cancelled)
      for (const cancel of timers) cancel()
      for (const { abort } of flying.values()) abort.abort(new Error('no longer needed'))
      settle()
    }
    const cancelled = () => leave(() => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted')))
    const complete = () => got.size >= shape.k || wanted.every((shard) => got.has(shard))
    /** Asks as many more shards as it takes; those that are slow no longer count. */
    const advance = () => {
      if (over) return
      if (complete()) return leave(resolve)
      const steady = [...flying.values()].filter((flight) => !flight.slow).length
      const direct = wanted.every((shard) => got.has(shard) || flying.get(shard)?.slow === false)
      let missing = direct ? 0 : shape.k - got.size - steady
      while (missing > 0 && untried.length > 0) {
        missing--
        ask(untried.shift() as number)
      }
      if (flying.size === 0 && !complete()) {
        const details = { key: segment.body, readable: got.size, needed: shape.k }
        leave(() => reject(storageError('object.damaged', details)))
      }
    }
    const ask = (shard: number) => {
      const provider = segment.holders[shard] as string
      const flight = { abort: new AbortController(), slow: false }
      const units = unitsOf(shape, rows)
      flying.set(shard, flight)
      const began = ground.clock.now()
      const stopHedge = ground.clock.after(hedgeAfter(ground, provider, units), () => {
        if (untried.length === 0 || !ground.hedges.spend()) return
        flight.slow = true
        advance()
      })
      const stopLimit = ground.clock.after(ground.limits.shardMs, () => {
        flight.abort.abort(storageError('shard.unreachable', { provider, reason: 'no answer in time' }))
      })
      timers.push(stopHedge, stopLimit)
      readCells(ground, readable, rows, shard, flight.abort.signal)
        .then(
          (cells) => {
            ground.health.answered(provider, (ground.clock.now() - began) / units)
            if (over) return giveBack(ground, cells)
            got.set(shard, cells)
          },
          (error: unknown) => {
            if (over) return
            failures++
            report(ground, readable, shard, error)
          },
        )
        .finally(() => {
          stopHedge()
          stopLimit()
          flying.delete(shard)
          advance()
        })
    }
    if (signal.aborted) return cancelled()
    signal.addEventListener('abort', cancelled, { once: true })
    for (const shard of wanted) if (take(untried, shard, ground, segment)) ask(shard)
    advance()
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

/** The shards in the order in which they are asked: those wanted, then quick ones; dark ones only when nothing else is left. */
function candidates(
  ground: Ground,
  segment: Segment,
  wanted: readonly number[],
  without: ReadonlySet<number>,
): number[] {
  const rank = (shard: number) => {
    const health = ground.health.of(segment.holders[shard] as string)
    if (health.state === 'dark') return 1e12
    return wanted.includes(shard) ? -1 : health.latencyMs
  }
  return segment.holders
    .map((_, shard) => shard)
    .filter((shard) => !without.has(shard))
    .sort((a, b) => rank(a) - rank(b) || a - b)
}

/** Takes a wanted shard out of the list, unless its provider is dark: then others are quicker. */
function take(untried: number[], shard: number, ground: Ground, segment: Segment): boolean {
  const at = untried.indexOf(shard)
  if (at === -1 || ground.health.of(segment.holders[shard] as string).state === 'dark') return false
  untried.splice(at, 1)
  return true
}

const hedgeAfter = (ground: Ground, provider: string, units: number) =>
  Math.max(ground.limits.hedgeFloorMs, 2 * ground.health.of(provider).slowMs * units)

/** A provider's times are noted per this many cells, so that a long read is not taken for a slow provider. */
const unitCells = 4
const unitsOf = (shape: SegmentShape, rows: RowRange) => Math.max(1, spanOf(shape, rows) / (unitCells * fullCellBytes))

/** @throws shard.corrupt when a tag does not match, or what the provider answers */
async function readCells(
  ground: Ground,
  { segment, shape, tags }: ReadableSegment,
  rows: RowRange,
  shard: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const provider = segment.holders[shard] as string
  const length = spanOf(shape, rows)
  const into = ground.buffers.takeAtLeast(length)
  try {
    const name = segment.names[shard] as string
    const cells = await ground.shards(provider).read(name, cellOffset(shape, rows.first), length, signal, into)
    for (let row = rows.first; row <= rows.last; row++) {
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

/** One stored cell out of those of a range of rows. */
export function cellOf(shape: SegmentShape, cells: Uint8Array, rows: RowRange, row: number): Uint8Array {
  const at = cellOffset(shape, row) - cellOffset(shape, rows.first)
  return cells.subarray(at, at + cellBytes(shape, row) + cellOverhead)
}

function report(ground: Ground, readable: ReadableSegment, shard: number, error: unknown): void {
  const provider = readable.segment.holders[shard] as string
  ground.health.failed(provider, error)
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
