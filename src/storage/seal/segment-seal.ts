import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'
import { type Random, release } from '#kernel'
import { storageError } from '../errors.ts'
import { cellBytes, cellOverhead, shardHeaderBytes, type SegmentShape } from './shape.ts'

/** A segment's name and its two keys: one opens it, the other only tells whether cells are what was stored. */
export type SegmentKeys = { segment: Uint8Array; data: Uint8Array; integrity: Uint8Array }

const tagBytes = 16
const label = Buffer.from('pelago segment 1\0')
const zeros = Buffer.alloc(128 * 1024)

/** Draws a segment's name (16 bytes) and keys (32 bytes each). Every attempt to write draws anew, so no nonce is ever used twice. */
export function freshKeys(random: Random): SegmentKeys {
  return { segment: random.bytes(16), data: random.bytes(32), integrity: random.bytes(32) }
}

/** Seals and opens the data cells of one segment with AES-256-GCM (NIST SP 800-38D). */
export type SegmentSeal = {
  /**
   * @param plaintext at most the cell's bytes; zeros are added up to them
   * @returns a new stored cell with its own tag still empty
   */
  seal(row: number, shard: number, plaintext: Uint8Array): Uint8Array
  /** @returns the plaintext of the whole cell. @throws shard.corrupt */
  open(row: number, shard: number, stored: Uint8Array): Uint8Array
}

/** @param tenant,keys bound into every cell: a cell of another tenant, segment or place does not open
 * @param allocate makes the buffers of sealed cells, which may hold anything before */
export function openSegmentSeal(
  shape: SegmentShape,
  tenant: string,
  keys: Pick<SegmentKeys, 'segment' | 'data'>,
  allocate: (length: number) => Uint8Array = (length) => Buffer.allocUnsafeSlow(length),
): SegmentSeal {
  const owner = Buffer.from(tenant)
  const bound = Buffer.concat([label, Buffer.from([owner.length]), owner, keys.segment, Buffer.alloc(9)])
  const placeAt = bound.length - 9
  /** The cell's number within the segment is its nonce; number and "is last" are its associated data. */
  const place = (row: number, shard: number) => {
    const number = row * shape.k + shard
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32BE(number, 8)
    bound.writeUInt32BE(0, placeAt)
    bound.writeUInt32BE(number, placeAt + 4)
    bound[placeAt + 8] = number === shape.rows * shape.k - 1 ? 1 : 0
    return nonce
  }
  return {
    seal(row, shard, plaintext) {
      const size = cellBytes(shape, row)
      const cell = allocate(size + cellOverhead)
      const cipher = createCipheriv('aes-256-gcm', keys.data, place(row, shard))
      cipher.setAAD(bound)
      const sealed = cipher.update(plaintext)
      cell.set(sealed, 0)
      release(sealed)
      if (plaintext.length < size) cell.set(cipher.update(zeros.subarray(0, size - plaintext.length)), plaintext.length)
      cipher.final()
      cell.set(cipher.getAuthTag(), size)
      cell.fill(0, size + tagBytes)
      return cell
    },
    open(row, shard, stored) {
      const size = cellBytes(shape, row)
      const decipher = createDecipheriv('aes-256-gcm', keys.data, place(row, shard))
      decipher.setAAD(bound)
      decipher.setAuthTag(stored.subarray(size, size + tagBytes))
      const plain = decipher.update(stored.subarray(0, size))
      try {
        decipher.final()
      } catch (error) {
        throw storageError('shard.corrupt', { provider: `of shard ${shard}` }, error)
      }
      return plain
    },
  }
}

/** Tags stored cells, data and parity alike, and tells whether one is what was stored at this place. */
export type SegmentTags = {
  /** Writes the tag into the cell's last 16 bytes. */
  tag(row: number, shard: number, stored: Uint8Array): void
  /** False also for a cell of another length. */
  verify(row: number, shard: number, stored: Uint8Array): boolean
}

/** The tag is GMAC (SP 800-38D: GCM over no plaintext) with the cell's place as nonce; docs/decisions/0003 says why. */
export function openSegmentTags(shape: SegmentShape, keys: Pick<SegmentKeys, 'segment' | 'integrity'>): SegmentTags {
  const tagOf = (row: number, shard: number, coded: Uint8Array) => {
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32BE(shard, 0)
    nonce.writeUInt32BE(row, 4)
    const mac = createCipheriv('aes-256-gcm', keys.integrity, nonce)
    mac.setAAD(keys.segment)
    mac.setAAD(coded)
    mac.final()
    return mac.getAuthTag()
  }
  return {
    tag(row, shard, stored) {
      const end = cellBytes(shape, row) + tagBytes
      stored.set(tagOf(row, shard, stored.subarray(0, end)), end)
    },
    verify(row, shard, stored) {
      const end = cellBytes(shape, row) + tagBytes
      if (stored.length !== end + tagBytes) return false
      return timingSafeEqual(tagOf(row, shard, stored.subarray(0, end)), stored.subarray(end))
    },
  }
}

/** First bytes of every shard file. */
export const shardMagic = Buffer.from('PELAGO\r\n')

/**
 * The clear header: magic, format version 1, length of the header; the rest is zeros, kept for a sealed manifest. It is
 * the same for every shard, so it links nothing to anything.
 */
export function shardHeader(): Uint8Array {
  const header = Buffer.alloc(shardHeaderBytes)
  header.set(shardMagic, 0)
  header.writeUInt16BE(1, 8)
  header.writeUInt16BE(shardHeaderBytes, 10)
  return header
}
