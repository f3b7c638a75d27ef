/** What every object of a run consists of: known from its key alone, so that any answer can be compared byte for byte. */
import { createCipheriv, createHash } from 'node:crypto'

const longest = 64 * 1024 * 1024
const firstBytes = 64

export type Bodies = {
  /** The bytes of one object in pieces that follow each other; nothing is copied but the first few. */
  pieces(key: string, size: number): Generator<Buffer>
  /** Whether these bytes are the object's bytes from this offset on. */
  match(key: string, size: number, offset: number, bytes: Uint8Array): boolean
}

/**
 * The first 64 bytes of an object are its own, drawn from its key, so that no object can be taken for another; the others
 * are the same for all, do not compress, and repeat after 64 MiB at the latest.
 * @param seed 32 bytes in hex, the same in every process of a run
 */
export function openBodies(seed: string): Bodies {
  let shared = Buffer.alloc(0)
  const tail = (size: number): Buffer => {
    const wanted = Math.min(size, longest)
    if (shared.length < wanted) {
      const cipher = createCipheriv('aes-256-ctr', Buffer.from(seed, 'hex'), Buffer.alloc(16))
      shared = cipher.update(Buffer.alloc(wanted))
    }
    return shared.subarray(0, wanted)
  }
  const first = (key: string) => createHash('sha512').update(seed).update(key).digest()
  return {
    *pieces(key, size) {
      const rest = tail(size)
      yield first(key).subarray(0, Math.min(firstBytes, size))
      yield rest.subarray(Math.min(firstBytes, size))
      for (let at = rest.length; at < size; at += rest.length) yield rest.subarray(0, Math.min(rest.length, size - at))
    },
    match(key, size, offset, bytes) {
      const rest = tail(size)
      let at = 0
      if (offset < firstBytes) {
        const own = first(key).subarray(offset, Math.min(firstBytes, offset + bytes.length))
        if (own.compare(bytes, 0, own.length) !== 0) return false
        at = own.length
      }
      while (at < bytes.length) {
        const from = (offset + at) % rest.length
        const length = Math.min(bytes.length - at, rest.length - from)
        if (rest.compare(bytes, at, at + length, from, from + length) !== 0) return false
        at += length
      }
      return true
    },
  }
}
