import { createPublicKey, type KeyObject, type webcrypto } from 'node:crypto'
import { trustError } from '../errors.ts'

/** The one kind of signature that certificates of a federation have. */
export const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** @throws certificate.key */
export function signingKeyOf(key: KeyObject): webcrypto.CryptoKey {
  assertP256(key)
  return key.toCryptoKey(p256, false, ['sign'])
}

/** @param spki DER @throws certificate.key */
export function publicKeyOf(spki: Uint8Array): KeyObject {
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch (error) {
    throw trustError('certificate.key', { reason: 'what was given is no public key' }, error)
  }
  assertP256(key)
  return key
}

function assertP256(key: KeyObject): void {
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (key.asymmetricKeyType !== 'ec' || curve !== 'prime256v1')
    throw trustError('certificate.key', { reason: `this one is ${curve ?? key.asymmetricKeyType ?? 'none'}` })
}

/** A serial number (RFC 5280, 4.1.2.2): positive, and its length says nothing about how it was drawn. */
export function serialText(serial: Uint8Array): string {
  if (serial.length !== 16) throw new RangeError('a serial number is made of 16 random bytes')
  const bytes = Buffer.from(serial)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}
