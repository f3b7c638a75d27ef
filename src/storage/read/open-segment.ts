import type { Ground } from '../ground.ts'
import type { Segment } from '../index/segment.ts'
import type { WrappedKeys } from '../seal/key-store.ts'
import { openSegmentSeal, openSegmentTags, type SegmentSeal } from '../seal/segment-seal.ts'
import { segmentShape } from '../seal/shape.ts'
import type { ReadableSegment } from './fetch-rows.ts'

/** Prepares a segment for reading its cells; needs the integrity key alone, so repair and audit never see the data key. */
export async function openSegment(ground: Ground, segment: Segment): Promise<ReadableSegment> {
  const id = Buffer.from(segment.segment, 'hex')
  const shape = segmentShape(segment.size, segment.k, segment.m)
  const [integrity, coder] = await Promise.all([
    ground.keys.unwrapIntegrity(segment.scope, id, wrappedOf(segment)),
    ground.coders.coder(segment.k, segment.m),
  ])
  return { segment, shape, coder, tags: openSegmentTags(shape, { segment: id, integrity }) }
}

/** Unseals the cells of a segment. @throws key.commitment */
export async function openSeal(
  ground: Ground,
  tenant: string,
  { segment, shape }: ReadableSegment,
): Promise<SegmentSeal> {
  const id = Buffer.from(segment.segment, 'hex')
  const data = await ground.keys.unwrapData(segment.scope, id, wrappedOf(segment))
  return openSegmentSeal(shape, tenant, { segment: id, data })
}

function wrappedOf(segment: Segment): WrappedKeys {
  const { epoch, dataKey: data, integrityKey: integrity, commitment } = segment
  return { epoch, data, integrity, commitment }
}
