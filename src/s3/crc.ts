/** CRCs that Node does not have, eight bytes at a time (M. Kounavis, F. Berry, "A Systematic Approach to Building High Performance Software-Based CRC Generators", 2005). */

/** The state of a CRC in two halves of 32 bits; 32-bit ones use `low` alone. */
export type Crc = { low: number; high: number }

export const zeroCrc: Crc = { low: 0, high: 0 }

type Tables = { low: Int32Array; high: Int32Array }

/** Eight tables of 256: entry n of table t is the CRC of byte n followed by t zeros. */
function tablesOf(polynomialLow: number, polynomialHigh: number): Tables {
  const low = new Int32Array(8 * 256)
  const high = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let [l, h] = [byte, 0]
    for (let bit = 0; bit < 8; bit++) {
      const odd = l & 1
      l = (l >>> 1) | ((h & 1) << 31)
      h >>>= 1
      if (odd) {
        l ^= polynomialLow
        h ^= polynomialHigh
      }
    }
    low[byte] = l
    high[byte] = h
  }
  for (let at = 256; at < 8 * 256; at++) {
    const l = low[at - 256] as number
    const h = high[at - 256] as number
    const next = l & 0xff
    low[at] = ((l >>> 8) | (h << 24)) ^ (low[next] as number)
    high[at] = (h >>> 8) ^ (high[next] as number)
  }
  return { low, high }
}

const castagnoli = tablesOf(0x82f63b78, 0)
const nvme = tablesOf(0xac4bc9b5, 0x9a6c9329)

/** CRC-32C (RFC 3720, appendix B.4). */
export function crc32c({ low: before }: Crc, bytes: Uint8Array): Crc {
  const table = castagnoli.low
  let crc = ~before
  let at = 0
  const whole = bytes.length - 7
  for (; at < whole; at += 8) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    crc =
      (table[1792 + (crc & 0xff)] as number) ^
      (table[1536 + ((crc >>> 8) & 0xff)] as number) ^
      (table[1280 + ((crc >>> 16) & 0xff)] as number) ^
      (table[1024 + (crc >>> 24)] as number) ^
      (table[768 + (bytes[at + 4] as number)] as number) ^
      (table[512 + (bytes[at + 5] as number)] as number) ^
      (table[256 + (bytes[at + 6] as number)] as number) ^
      (table[bytes[at + 7] as number] as number)
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number)
  return { low: ~crc >>> 0, high: 0 }
}

/** CRC-64/NVME (NVM Express NVM Command Set Specification, section 5.2.1.3.4). */
export function crc64nvme(before: Crc, bytes: Uint8Array): Crc {
  const { low: tableLow, high: tableHigh } = nvme
  let low = ~before.low
  let high = ~before.high
  let at = 0
  const whole = bytes.length - 7
  for (; at < whole; at += 8) {
    low ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    high ^=
      (bytes[at + 4] as number) |
      ((bytes[at + 5] as number) << 8) |
      ((bytes[at + 6] as number) << 16) |
      ((bytes[at + 7] as number) << 24)
    const [a, b, c, d] = [
      1792 + (low & 0xff),
      1536 + ((low >>> 8) & 0xff),
      1280 + ((low >>> 16) & 0xff),
      1024 + (low >>> 24),
    ]
    const [e, f, g, h] = [768 + (high & 0xff), 512 + ((high >>> 8) & 0xff), 256 + ((high >>> 16) & 0xff), high >>> 24]
    low =
      (tableLow[a] as number) ^
      (tableLow[b] as number) ^
      (tableLow[c] as number) ^
      (tableLow[d] as number) ^
      (tableLow[e] as number) ^
      (tableLow[f] as number) ^
      (tableLow[g] as number) ^
      (tableLow[h] as number)
    high =
      (tableHigh[a] as number) ^
      (tableHigh[b] as number) ^
      (tableHigh[c] as number) ^
      (tableHigh[d] as number) ^
      (tableHigh[e] as number) ^
      (tableHigh[f] as number) ^
      (tableHigh[g] as number) ^
      (tableHigh[h] as number)
  }
  for (; at < bytes.length; at++) {
    const next = (low ^ (bytes[at] as number)) & 0xff
    low = ((low >>> 8) | (high << 24)) ^ (tableLow[next] as number)
    high = (high >>> 8) ^ (tableHigh[next] as number)
  }
  return { low: ~low >>> 0, high: ~high >>> 0 }
}
