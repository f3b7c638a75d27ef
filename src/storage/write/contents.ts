import type { Ground } from '../ground.ts'
import type { Segment } from '../index/segment.ts'
import { freshKeys, openSegmentSeal, openSegmentTags } from '../seal/segment-seal.ts'
import { fullCellBytes, segmentShape, type SegmentShape } from '../seal/shape.ts'
import { contentOf, openRowEncoder, type RowEncoder } from './encode-row.ts'
import type { Plain } from './plain.ts'

/** What one attempt to write a segment stores: its cells, and what the index must know to read them again. */
export type Contents = {
  shape: SegmentShape
  encoder: RowEncoder
  /** Resolves when what this row is made of is there. */
  ready(row: number): Promise<void>
  sealed: Pick<Segment, 'segment' | 'epoch' | 'dataKey' | 'integrityKey' | 'commitment'>
}

/** Called for each attempt, because the code may be another and keys are never used twice. */
export type OpenContents = (code: { k: number; m: number }) => Promise<Contents>

/** The plaintext of a bucket's segment, sealed cell by cell. */
export function sealedContents(ground: Ground, bucket: { id: string; tenant: string }, plain: Plain): OpenContents {
  return async ({ k, m }) => {
    const shape = segmentShape(plain.bytes.length, k, m)
    const keys = freshKeys(ground.random)
    const [wrapped, coder] = await Promise.all([ground.keys.wrap(bucket.id, keys), ground.coders.coder(k, m)])
    const seal = openSegmentSeal(shape, bucket.tenant, keys, ground.buffers.take)
    const dataCell = (row: number, shard: number) => seal.seal(row, shard, contentOf(shape, plain.bytes, row, shard))
    return {
      shape,
      encoder: openRowEncoder(shape, dataCell, openSegmentTags(shape, keys), coder, ground.buffers),
      ready: (row) => plain.reach(Math.min((row + 1) * k * fullCellBytes, shape.size)),
      sealed: {
        segment: Buffer.from(keys.segment).toString('hex'),
        epoch: wrapped.epoch,
        dataKey: wrapped.data,
        integrityKey: wrapped.integrity,
        commitment: wrapped.commitment,
      },
    }
  }
}
