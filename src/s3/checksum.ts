import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Offload } from '#kernel'
import type { Checksum, ChecksumAlgorithm, PartInfo } from '#storage'
import { crc32c, crc64nvme, type Crc, zeroCrc } from './crc.ts'

/** Header names of S3's checksums. */
export const checksumHeader: Record<ChecksumAlgorithm, string> = {
  CRC32: 'x-amz-checksum-crc32',
  CRC32C: 'x-amz-checksum-crc32c',
  CRC64NVME: 'x-amz-checksum-crc64nvme',
  SHA1: 'x-amz-checksum-sha1',
  SHA256: 'x-amz-checksum-sha256',
}
export const checksumAlgorithms = Object.keys(checksumHeader) as ChecksumAlgorithm[]

/** A running checksum. Bytes must not change until `update` has settled. */
export type RunningChecksum = {
  update(bytes: Uint8Array): Promise<void> | void
  digest(): Promise<Uint8Array>
  /** Forgets an unfinished one. */
  drop(): void
}

export function openChecksum(algorithm: ChecksumAlgorithm, offload: Offload): RunningChecksum {
  if (algorithm === 'SHA1' || algorithm === 'SHA256') return offload.hash(algorithm === 'SHA1' ? 'sha1' : 'sha256')
  const step = crcs[algorithm]
  let crc = zeroCrc
  return {
    update(bytes) {
      crc = step.update(crc, bytes)
    },
    digest: async () => bytesOf(crc, step.bits),
    drop: () => {},
  }
}

const crcs: Record<
  'CRC32' | 'CRC32C' | 'CRC64NVME',
  { bits: 32 | 64; update(crc: Crc, bytes: Uint8Array): Crc; polynomial: bigint }
> = {
  CRC32: { bits: 32, update: (crc, bytes) => ({ low: crc32(bytes, crc.low), high: 0 }), polynomial: 0xedb88320n },
  CRC32C: { bits: 32, update: crc32c, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64, update: crc64nvme, polynomial: 0x9a6c9329ac4bc9b5n },
}

/** Checksum of a few bytes at once, in base64. */
export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): string {
  if (algorithm === 'SHA1' || algorithm === 'SHA256') return hash(algorithm, bytes, 'base64')
  const { bits, update } = crcs[algorithm]
  return bytesOf(update(zeroCrc, bytes), bits).toString('base64')
}

function bytesOf({ low, high }: Crc, bits: 32 | 64): Buffer {
  const bytes = Buffer.alloc(bits / 8)
  if (bits === 64) bytes.writeUInt32BE(high >>> 0, 0)
  bytes.writeUInt32BE(low >>> 0, bits / 8 - 4)
  return bytes
}

export type ChecksumType = Checksum['type']

/** What a multipart upload states: the algorithm, and how the whole follows from the parts. */
export type ChecksumPlan = { algorithm: ChecksumAlgorithm; type: ChecksumType }

/**
 * The checksum of the whole out of those of the parts, without reading a byte again.
 * @returns undefined when a part has none
 */
export function combineChecksums({ algorithm, type }: ChecksumPlan, parts: readonly PartInfo[]): Checksum | undefined {
  const values: Uint8Array[] = []
  for (const { checksum } of parts) {
    if (checksum?.algorithm !== algorithm) return undefined
    values.push(Buffer.from(checksum.value, 'base64'))
  }
  if (type === 'COMPOSITE') {
    const whole = checksumOf(algorithm, Buffer.concat(values))
    return { algorithm, type, value: `${whole}-${parts.length}` }
  }
  const { bits, polynomial } = crcs[algorithm as keyof typeof crcs]
  let whole = 0n
  // Nearly all parts have the same length.
  let [length, factor] = [-1, 0n]
  for (const [at, value] of values.entries()) {
    const { size } = parts[at] as PartInfo
    if (size !== length) [length, factor] = [size, shiftOf(size, polynomial, bits)]
    whole = multiply(whole, factor, polynomial, bits) ^ numberOf(value)
  }
  const hex = whole.toString(16).padStart(bits / 4, '0')
  return { algorithm, type, value: Buffer.from(hex, 'hex').toString('base64') }
}

const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

/**
 * What the CRC of a string is multiplied by when `length` bytes follow it: x^(8·length) modulo the polynomial.
 * Bits are in reflected order: the highest bit stands for x^0.
 */
function shiftOf(length: number, polynomial: bigint, bits: number): bigint {
  const one = 1n << BigInt(bits - 1)
  let power = one >> 8n
  let factor = one
  for (let rest = BigInt(length); rest > 0n; rest >>= 1n) {
    if (rest & 1n) factor = multiply(factor, power, polynomial, bits)
    power = multiply(power, power, polynomial, bits)
  }
  return factor
}

function multiply(a: bigint, b: bigint, polynomial: bigint, bits: number): bigint {
  let product = 0n
  let shifted = b
  for (let bit = 1n << BigInt(bits - 1); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= shifted
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n
  }
  return product
}
