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

/** The cell that holds the plaintext byte at `offset`. */
export function locate(shape: SegmentShape, offset: number): { row: number; shard: number; within: number } {
  const rowBytes = shape.k * fullCellBytes
  const row = Math.floor(offset / rowBytes)
  const inRow = offset - row * rowBytes
  const size = cellBytes(shape, row)
  const shard = Math.floor(inRow / size)
  return { row, shard, within: inRow - shard * size }
}
