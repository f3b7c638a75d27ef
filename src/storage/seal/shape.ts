/** How the bytes of a segment are laid out over rows, cells and shard files. Format version 1, docs/formats/segment.md. */

/** Plaintext of a cell in every row but the last. */
export const fullCellBytes = 128 * 1024
/** What a stored cell is longer than its plaintext: the tag of the cipher, and the cell's own tag. */
export const cellOverhead = 32
/** Clear header of a shard file. */
export const shardHeaderBytes = 64
/** Cells of the last row are rounded up to this, which hides the exact size from providers. */
const cellStep = 4096

export type SegmentShape = {
  k: number
  m: number
  /** Plaintext bytes of the segment, at least 1. */
  size: number
  rows: number
  /** Plaintext bytes of a cell in the last row. */
  lastCellBytes: number
  /** Length of each shard's file. */
  shardBytes: number
}

export function segmentShape(size: number, k: number, m: number): SegmentShape {
  if (!Number.isSafeInteger(size) || size < 1) throw new RangeError(`a segment has at least one byte, not ${size}`)
  const rowBytes = k * fullCellBytes
  const rows = Math.ceil(size / rowBytes)
  const rest = size - (rows - 1) * rowBytes
  const lastCellBytes = Math.ceil(Math.ceil(rest / k) / cellStep) * cellStep
  const shardBytes = shardHeaderBytes + (rows - 1) * (fullCellBytes + cellOverhead) + lastCellBytes + cellOverhead
  return { k, m, size, rows, lastCellBytes, shardBytes }
}

/** Plaintext bytes of each cell in this row. */
export function cellBytes(shape: SegmentShape, row: number): number {
  return row === shape.rows - 1 ? shape.lastCellBytes : fullCellBytes
}

/** Where in a shard's file the stored cell of this row begins. */
export function cellOffset(_shape: SegmentShape, row: number): number {
  return shardHeaderBytes + row * (fullCellBytes + cellOverhead)
}

/** Bytes of one shard's cells, one after the other and without their overhead: its column. */
export function columnBytes({ rows, lastCellBytes }: SegmentShape): number {
  return (rows - 1) * fullCellBytes + lastCellBytes
}

/** Where in a shard's file a stretch of its column lies; where it goes over a cell's end, that cell's overhead lies within. */
export function columnSpan(from: number, to: number): { offset: number; length: number } {
  const offset = fileOffset(from)
  return { offset, length: fileOffset(to - 1) + 1 - offset }
}

/** Takes the overhead out of the bytes of a span. @returns the stretch of the column from `from` up to `to` */
export function columnOf(span: Uint8Array, from: number, to: number): Uint8Array {
  if (span.length === to - from) return span
  const column = Buffer.allocUnsafeSlow(to - from)
  const first = fileOffset(from)
  for (let at = from; at < to; ) {
    const end = Math.min(to, (Math.floor(at / fullCellBytes) + 1) * fullCellBytes)
    const start = fileOffset(at) - first
    column.set(span.subarray(start, start + end - at), at - from)
    at = end
  }
  return column
}

const fileOffset = (column: number) =>
  shardHeaderBytes + Math.floor(column / fullCellBytes) * (fullCellBytes + cellOverhead) + (column % fullCellBytes)

/** The cell that holds the plaintext byte at `offset`. */
export function locate(shape: SegmentShape, offset: number): { row: number; shard: number; within: number } {
  const rowBytes = shape.k * fullCellBytes
  const row = Math.floor(offset / rowBytes)
  const inRow = offset - row * rowBytes
  const size = cellBytes(shape, row)
  const shard = Math.floor(inRow / size)
  return { row, shard, within: inRow - shard * size }
}
