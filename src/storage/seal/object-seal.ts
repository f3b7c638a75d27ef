import { createCipheriv, createDecipheriv } from 'node:crypto'
import { storageError } from '../errors.ts'

/**
 * Seals an object that lies in a pack: frames of up to 128 KiB, each with AES-256-GCM (NIST SP 800-38D) under the object's
 * own key, so that a pack may hold objects of many tenants and moving one needs no key. Packs carry tags of their own besides.
 */
export type ObjectSeal = {
  tenant: string /** 16 bytes, random per write. */
  id: Uint8Array /** 32 bytes. */
  key: Uint8Array
}

const frameBytes = 128 * 1024
const tagBytes = 16
const label = Buffer.from('pelago object 1\0')

/** Bytes that an object of `size` bytes takes when it is sealed. */
export function sealedBytes(size: number): number {
  return size + Math.ceil(size / frameBytes) * tagBytes
}

/** Whole frames: the sealed bytes from `from` up to `to`, of which the first opens to the plaintext byte `start`. */
export type SealedSpan = { from: number; to: number; start: number }

/** The frames that must be there to open the bytes from `first` to `last`. */
export function sealedSpan(size: number, first: number, last: number): SealedSpan {
  const frame = Math.floor(first / frameBytes)
  const end = Math.floor(last / frameBytes) + 1
  const stride = frameBytes + tagBytes
  return { from: frame * stride, to: Math.min(end * stride, sealedBytes(size)), start: frame * frameBytes }
}

/** @returns the sealed object, `sealedBytes` long */
export function sealObject(seal: ObjectSeal, plaintext: Uint8Array): Uint8Array {
  const sealed = Buffer.allocUnsafeSlow(sealedBytes(plaintext.length))
  const bound = boundTo(seal)
  for (let start = 0, at = 0; start < plaintext.length; start += frameBytes) {
    const frame = plaintext.subarray(start, start + frameBytes)
    const cipher = createCipheriv('aes-256-gcm', seal.key, place(bound, start, plaintext.length))
    cipher.setAAD(bound)
    sealed.set(cipher.update(frame), at)
    cipher.final()
    sealed.set(cipher.getAuthTag(), at + frame.length)
    at += frame.length + tagBytes
  }
  return sealed
}

/**
 * Opens whole frames of a sealed object.
 * @param size of the whole object
 * @param first the plaintext byte that `sealed` begins with
 * @returns the plaintext of these frames. @throws object.damaged
 */
export function openSealed(seal: ObjectSeal, size: number, sealed: Uint8Array, first: number): Uint8Array {
  const bound = boundTo(seal)
  const frames: Uint8Array[] = []
  for (let at = 0, start = first; at < sealed.length; start += frameBytes) {
    const length = Math.min(frameBytes, size - start)
    const decipher = createDecipheriv('aes-256-gcm', seal.key, place(bound, start, size))
    decipher.setAAD(bound)
    decipher.setAuthTag(sealed.subarray(at + length, at + length + tagBytes))
    frames.push(decipher.update(sealed.subarray(at, at + length)))
    try {
      decipher.final()
    } catch (error) {
      throw storageError('object.damaged', { key: Buffer.from(seal.id).toString('hex'), readable: 0, needed: 1 }, error)
    }
    at += length + tagBytes
  }
  return frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames)
}

function boundTo({ tenant, id }: ObjectSeal): Buffer {
  const owner = Buffer.from(tenant)
  return Buffer.concat([label, Buffer.from([owner.length]), owner, id, Buffer.alloc(5)])
}

/** The frame's number is its nonce; number and "is last" are bound too. @returns the nonce */
function place(bound: Buffer, start: number, size: number): Uint8Array {
  const number = start / frameBytes
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(number, 8)
  bound.writeUInt32BE(number, bound.length - 5)
  bound[bound.length - 1] = start + frameBytes >= size ? 1 : 0
  return nonce
}
