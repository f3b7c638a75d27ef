import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { utf8 } from '#kernel'

const nonceBytes = 12
const tagBytes = 16

/**
 * Seals what was answered under a key that only the asker can name again. An answer may hold a secret that is shown once, and
 * the database alone must not tell it. The nonce follows from the text, so that a body that is run twice writes the same.
 * @param key 32 bytes
 */
export function sealAnswer(key: Uint8Array, text: string): Uint8Array {
  const nonce = createHmac('sha256', key).update(text).digest().subarray(0, nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  return Buffer.concat([nonce, cipher.update(utf8(text)), cipher.final(), cipher.getAuthTag()])
}

/** @throws an error of the cipher when the bytes were not sealed under this key */
export function openAnswer(key: Uint8Array, sealed: Uint8Array): string {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes))
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString()
}
