import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { concat } from '#kernel'
import { accessError } from '../errors.ts'

/**
 * Keys under which secrets of access lie, by number. They lie outside the database that holds the secrets, so that whoever has
 * that one opens nothing.
 */
export type Keyring = {
  /** The key for what is new. */
  current(): Promise<{ keyring: number; key: Uint8Array }>
  key(keyring: number): Promise<Uint8Array>
}

const nonceBytes = 12
const tagBytes = 16
const newest = 1

/** @param secret gives 32 secret bytes that are the same for the same name, in every process of a gateway */
export function openKeyring(secret: (name: string) => Promise<Uint8Array>): Keyring {
  const keys = new Map<number, Uint8Array>()
  const key = async (keyring: number) => {
    if (keyring > newest) throw accessError('keyring.missing', { keyring })
    const found = keys.get(keyring) ?? (await secret(`access ${keyring}`))
    keys.set(keyring, found)
    return found
  }
  return { key, current: async () => ({ keyring: newest, key: await key(newest) }) }
}

/** A key for one purpose alone. */
export function derive(key: Uint8Array, purpose: string): Uint8Array {
  return createHmac('sha256', key).update(purpose).digest()
}

/** Seals a secret (AES-256-GCM) so that it opens for the same purpose only. @param nonce 12 bytes, never twice for one purpose */
export function sealSecret(key: Uint8Array, purpose: string, nonce: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', derive(key, purpose), nonce)
  return concat(nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag())
}

/** @throws secret.damaged */
export function openSecret(key: Uint8Array, purpose: string, sealed: Uint8Array): Uint8Array {
  try {
    const nonce = sealed.subarray(0, nonceBytes)
    const decipher = createDecipheriv('aes-256-gcm', derive(key, purpose), nonce)
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
    return concat(decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes)), decipher.final())
  } catch (error) {
    throw accessError('secret.damaged', { what: purpose }, error)
  }
}
