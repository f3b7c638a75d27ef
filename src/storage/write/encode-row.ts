import type { BufferPool } from '../buffer-pool.ts'
import type { Coder } from '../code/coder.ts'
import type { SegmentTags } from '../seal/segment-seal.ts'
import { cellBytes, cellOverhead, fullCellBytes, type SegmentShape } from '../seal/shape.ts'

/** Bytes of a stored cell that the code covers: all but the tag of its own that each cell carries. */
export const codedBytes = (shape: SegmentShape, row: number) => cellBytes(shape, row) + cellOverhead / 2

/** Makes the stored cells of a segment, the same each time, so that a lost shard can be made again. */
export type RowEncoder = {
  rows: number
  /** The k+m stored cells of a row, in shard order. */
  row(row: number): Uint8Array[]
  /** One stored cell alone. */
  cell(row: number, shard: number): Uint8Array
}

/** The part of a segment's content that lies in one data cell; shorter than the cell, or empty, at the end. */
export function contentOf(shape: SegmentShape, content: Uint8Array, row: number, shard: number): Uint8Array {
  const size = cellBytes(shape, row)
  const start = Math.min(row * shape.k * fullCellBytes + shard * size, shape.size)
  return content.subarray(start, Math.min(start + size, shape.size))
}

/**
 * @param dataCell makes a stored data cell whose own tag is still empty
 * @param buffers where parity cells come from
 */
export function openRowEncoder(
  shape: SegmentShape,
  dataCell: (row: number, shard: number) => Uint8Array,
  tags: SegmentTags,
  coder: Coder,
  buffers: BufferPool,
): RowEncoder {
  const rowOf = (row: number) => {
    const data = Array.from({ length: shape.k }, (_, shard) => dataCell(row, shard))
    const parity = Array.from({ length: shape.m }, () => buffers.take(cellBytes(shape, row) + cellOverhead))
    coder.encode(data, parity, codedBytes(shape, row))
    const cells = [...data, ...parity]
    cells.forEach((cell, shard) => {
      tags.tag(row, shard, cell)
    })
    return cells
  }
  return {
    rows: shape.rows,
    row: rowOf,
    cell(row, shard) {
      if (shard >= shape.k) return rowOf(row)[shard] as Uint8Array
      const cell = dataCell(row, shard)
      tags.tag(row, shard, cell)
      return cell
    },
  }
}
