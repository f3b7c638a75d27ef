/**
 * The bench's own Reed-Solomon code 4+2, so that the yardstick does not shrink and grow with what it measures. Parity P is the
 * sum of the data, Q the sum of the data times powers of 2 by Horner's rule, over GF(2^8) with 0x11d (H. P. Anvin, "The
 * mathematics of RAID-6"). Eighty bytes of WebAssembly SIMD per 16 bytes of each shard, in place.
 */

export const k = 4
export const m = 2

export type PlainCode = {
  /** Memory of the k data shards and, behind them, the m parity shards. */
  shards: Uint8Array[]
  /** Fills the parity shards. */
  encode(): void
}

/** @param length bytes of each shard, a multiple of 16 */
export function openPlainCode(length: number): PlainCode {
  if (length % 16 !== 0) throw new RangeError('shards are multiples of 16 bytes')
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleOf(length)), {})
  const memory = new Uint8Array((exports.memory as WebAssembly.Memory).buffer)
  return {
    shards: Array.from({ length: k + m }, (_, shard) => memory.subarray(shard * length, (shard + 1) * length)),
    encode: exports.encode as () => void,
  }
}

/** The same code byte by byte, for the check. @returns the bytes of P and Q at this place */
export function slowCode(data: readonly number[]): [p: number, q: number] {
  const twice = (value: number) => ((value << 1) ^ (value & 0x80 ? 0x11d : 0)) & 0xff
  return [data.reduce((sum, byte) => sum ^ byte, 0), data.reduceRight((sum, byte) => twice(sum) ^ byte, 0)]
}

function moduleOf(length: number): Uint8Array<ArrayBuffer> {
  const [offset, input, p, q] = [0, 1, 2, 3]
  const get = (local: number) => [0x20, local]
  const set = (local: number) => [0x21, local]
  const splat = (byte: number) => [0xfd, 0x0c, ...Array.from({ length: 16 }, () => byte)]
  const load = (shard: number) => [...get(offset), 0xfd, 0x00, 4, ...unsigned(shard * length)]
  const store = (shard: number, local: number) => [
    ...get(offset),
    ...get(local),
    ...[0xfd, 0x0b, 4, ...unsigned(shard * length)],
  ]
  const [add, lessSigned, and, xor] = [
    [0xfd, 0x6e],
    [0xfd, 0x25],
    [0xfd, 0x4e],
    [0xfd, 0x51],
  ] as const
  const body = [0x03, 0x40, ...load(k - 1), 0x22, p, ...set(q)]
  for (let shard = k - 2; shard >= 0; shard--) {
    body.push(...load(shard), ...set(input))
    body.push(...get(p), ...get(input), ...xor, ...set(p))
    body.push(...get(q), ...get(q), ...add)
    body.push(...get(q), ...splat(0), ...lessSigned, ...splat(0x1d), ...and, ...xor)
    body.push(...get(input), ...xor, ...set(q))
  }
  body.push(...store(k, p), ...store(k + 1, q))
  body.push(...get(offset), 0x41, 16, 0x6a, 0x22, offset, 0x41, ...signed(length), 0x49, 0x0d, 0, 0x0b, 0x0b)
  const pages = Math.ceil(((k + m) * length) / 65536)
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0x00, ...unsigned(pages)]),
    ...section(7, [2, ...name('memory'), 0x02, 0, ...name('encode'), 0x00, 0]),
    ...section(10, [1, ...sized([2, 1, 0x7f, 3, 0x7b, ...body])]),
  ])
}

const section = (id: number, content: number[]) => [id, ...sized(content)]
const sized = (content: number[]) => [...unsigned(content.length), ...content]
const name = (text: string) => sized([...Buffer.from(text)])

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)]
}
