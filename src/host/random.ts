import { randomFillSync } from 'node:crypto'
import type { Random } from '#kernel'

const poolBytes = 4096

/**
 * Bytes of the operating system's generator. Short draws come out of a pool that is filled ahead, because one call
 * into the generator costs more than the bytes; what was handed out is wiped from the pool.
 */
export function openRandom(): Random {
  const pool = new Uint8Array(poolBytes)
  let used = poolBytes
  return {
    bytes(length) {
      const out = new Uint8Array(length)
      if (length > poolBytes / 4) return randomFillSync(out)
      if (used + length > poolBytes) {
        randomFillSync(pool)
        used = 0
      }
      out.set(pool.subarray(used, used + length))
      pool.fill(0, used, used + length)
      used += length
      return out
    },
  }
}
