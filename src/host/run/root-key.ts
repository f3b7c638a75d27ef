import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type RootKey, storageError } from '#storage'
import { hostError } from '../errors.ts'
import { keepPrivate } from '../disk/write-file.ts'

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/**
 * The root key out of a file, made when it is missing. Whoever reads the file reads everything, and a copy of it outlives
 * any erasure: that is why such a key proves nothing to others.
 * @throws data.damaged
 */
export function openRootKey(file: string): RootKey {
  keepPrivate(file, () => `${randomBytes(keyBytes).toString('hex')}\n`)
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex')
  if (key.length !== keyBytes) throw hostError('data.damaged', { file, reason: 'it holds no key of 32 bytes' })
  return {
    async wrap(plain, context) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(context)
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },
    async unwrap(wrapped, context) {
      const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, nonceBytes))
      decipher.setAAD(context)
      decipher.setAuthTag(wrapped.subarray(wrapped.length - tagBytes))
      try {
        return Buffer.concat([
          decipher.update(wrapped.subarray(nonceBytes, wrapped.length - tagBytes)),
          decipher.final(),
        ])
      } catch (error) {
        throw storageError('key.root', {}, error)
      }
    },
  }
}
