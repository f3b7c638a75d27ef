import { release } from '#kernel'
import type { Ground } from '../ground.ts'
import type { PackClass } from '../index/packs.store.ts'
import { freshKeys, openSegmentTags } from '../seal/segment-seal.ts'
import { cellBytes, cellOverhead, columnBytes } from '../seal/shape.ts'
import type { OpenContents } from '../write/contents.ts'
import { contentOf, openRowEncoder } from '../write/encode-row.ts'
import { fillPack, layoutPack, type PackLayout } from './layout.ts'

/** Sealed objects on their way into one pack. */
export type PackContents = {
  open: OpenContents
  /** How the last attempt laid them out. */
  layout(): PackLayout
  /** Plaintext bytes that its data shards have room for. */
  capacity(): number
  /** Gives the memory back when nobody writes any more. */
  release(): void
}

/** The objects are sealed already, so a pack's cells are only laid out, coded and tagged; it has no data key. */
export function packContents(ground: Ground, packClass: PackClass, objects: readonly Uint8Array[]): PackContents {
  const lengths = objects.map((object) => object.length)
  let layout: PackLayout | undefined
  let bytes = new Uint8Array(0)
  const laidOut = () => layout as PackLayout
  return {
    layout: laidOut,
    capacity: () => columnBytes(laidOut().shape) * laidOut().shape.k,
    release: () => release(bytes),
    async open({ k, m }) {
      const { segment, integrity } = freshKeys(ground.random)
      const [wrapped, coder] = await Promise.all([
        ground.keys.wrapIntegrity(packClass.id, { segment, integrity }),
        ground.coders.coder(k, m),
      ])
      const { shape, places } = layoutPack(lengths, k, m, packClass.policy.greatestShare)
      layout = { shape, places }
      bytes = new Uint8Array(shape.size)
      const content = bytes
      fillPack(layout, objects, content)
      const dataCell = (row: number, shard: number) => {
        const size = cellBytes(shape, row)
        const cell = ground.buffers.take(size + cellOverhead)
        cell.set(contentOf(shape, content, row, shard))
        cell.fill(0, size)
        return cell
      }
      return {
        shape,
        encoder: openRowEncoder(shape, dataCell, openSegmentTags(shape, { segment, integrity }), coder, ground.buffers),
        ready: async () => {},
        sealed: {
          segment: Buffer.from(segment).toString('hex'),
          epoch: wrapped.epoch,
          dataKey: none,
          integrityKey: wrapped.integrity,
          commitment: none,
        },
      }
    },
  }
}

const none = new Uint8Array(0)
