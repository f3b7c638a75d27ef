import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { trustError } from '../errors.ts'

/** What a key is known by: SHA-256 over its SubjectPublicKeyInfo (RFC 5280, DER), 64 hexadecimal digits. */
export function pinOf(spki: Uint8Array): string {
  return createHash('sha256').update(spki).digest('hex')
}

/** @param key public, or the private one that it belongs to */
export function pinOfKey(key: KeyObject): string {
  const known = key.type === 'private' ? createPublicKey(key) : key
  return pinOf(known.export({ format: 'der', type: 'spki' }))
}

/** The first certificate of a PEM chain. @throws certificate.unreadable */
export function certificateOf(pem: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw trustError(
      'certificate.unreadable',
      { reason: error instanceof Error ? error.message : String(error) },
      error,
    )
  }
}
