import { createHmac, hash } from 'node:crypto'

/** A key of HMAC-SHA-256, ready for use. */
export type HmacKey = { readonly bytes: Uint8Array; readonly inner: Uint8Array; readonly outer: Uint8Array }

const blockBytes = 64
const hashBytes = 32
const scratch = Buffer.alloc(blockBytes + 4096)
const outside = Buffer.alloc(blockBytes + hashBytes)

/** @param bytes 32 bytes, which is what a hash gives */
export function hmacKey(bytes: Uint8Array): HmacKey {
  const padded = (value: number) => {
    const block = new Uint8Array(blockBytes).fill(value)
    for (let at = 0; at < bytes.length; at++) block[at] = value ^ (bytes[at] as number)
    return block
  }
  return { bytes, inner: padded(0x36), outer: padded(0x5c) }
}

/**
 * HMAC-SHA-256 (RFC 2104) of a short text, in hex: as two hashes in one call each, which costs half of what the object does
 * that Node makes for it, and leaves nothing to the collector.
 */
export function hmacHex(key: HmacKey, text: string): string {
  if (text.length * 3 > scratch.length - blockBytes) return createHmac('sha256', key.bytes).update(text).digest('hex')
  return ofScratch(key, scratch.write(text, blockBytes))
}

/** The same of a word that says what for, followed by bytes: what derives keys from keys. @returns 32 bytes */
export function hmacOf(key: HmacKey, word: string, bytes: Uint8Array): Uint8Array {
  if (word.length * 3 + bytes.length > scratch.length - blockBytes)
    return createHmac('sha256', key.bytes).update(word).update(bytes).digest()
  const length = scratch.write(word, blockBytes)
  scratch.set(bytes, blockBytes + length)
  return Buffer.from(ofScratch(key, length + bytes.length), 'hex')
}

/** @param length of the message that lies in `scratch` behind the first block */
function ofScratch(key: HmacKey, length: number): string {
  scratch.set(key.inner)
  outside.set(key.outer)
  outside.write(hash('sha256', scratch.subarray(0, blockBytes + length), 'hex'), blockBytes, 'hex')
  return hash('sha256', outside, 'hex')
}
