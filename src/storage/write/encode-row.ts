import type { BufferPool } from '../buffer-pool.ts'
import type { Coder } from '../code/coder.ts'
import { openSegmentSeal, openSegmentTags, type SegmentKeys } from '../seal/segment-seal.ts'
import { cellBytes, cellOverhead, fullCellBytes, type SegmentShape } from '../seal/shape.ts'
import type { Plain } from './plain.ts'

/** Bytes of a stored cell that the code covers: all but the tag of its own that each cell carries. */
export const codedBytes = (shape: SegmentShape, row: number) => cellBytes(shape, row) + cellOverhead / 2

/** Turns plaintext into stored cells. The same plaintext and keys give the same cells, so a lost shard can be made again. */
export type RowEncoder = {
  rows: number
  /** Plaintext bytes that must be there before `row` can be encoded. */
  needs(row: number): number
  /** The k+m stored cells of a row, in shard order. */
  row(row: number): Uint8Array[]
  /** One stored cell alone. */
  cell(row: number, shard: number): Uint8Array
}

export function openRowEncoder(
  shape: SegmentShape,
  tenant: string,
  keys: SegmentKeys,
  coder: Coder,
  plain: Plain,
  buffers: BufferPool,
): RowEncoder {
  const seal = openSegmentSeal(shape, tenant, keys, buffers.take)
  const tags = openSegmentTags(shape, keys)
  const sealed = (row: number, shard: number) => {
    const size = cellBytes(shape, row)
    const start = Math.min(row * shape.k * fullCellBytes + shard * size, shape.size)
    return seal.seal(row, shard, plain.bytes.subarray(start, Math.min(start + size, shape.size)))
  }
  const rowOf = (row: number) => {
    const data = Array.from({ length: shape.k }, (_, shard) => sealed(row, shard))
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
    needs: (row) => Math.min((row + 1) * shape.k * fullCellBytes, shape.size),
    row: rowOf,
    cell(row, shard) {
      if (shard >= shape.k) return rowOf(row)[shard] as Uint8Array
      const cell = sealed(row, shard)
      tags.tag(row, shard, cell)
      return cell
    },
  }
}
