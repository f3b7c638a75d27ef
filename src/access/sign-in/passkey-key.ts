import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { Cbor } from './cbor.ts'
import { signInError } from './errors.ts'

/** Algorithms of passkeys that are understood, the best first (IANA COSE numbers): EdDSA, ES256, RS256. */
export const passkeyAlgorithms = [-8, -7, -257] as const
export type PasskeyAlgorithm = (typeof passkeyAlgorithms)[number]
export type PasskeyKey = { algorithm: PasskeyAlgorithm; key: KeyObject }

const rsaBytes = { least: 256, most: 512 }

/**
 * Reads the public key of a passkey. Source: RFC 9052 section 7, RFC 9053; WebAuthn level 3 section 5.8.5 (which curve
 * goes with which algorithm).
 * @throws passkey.algorithm, passkey.key
 */
export function readPasskeyKey(cose: Cbor): PasskeyKey {
  if (!(cose instanceof Map)) throw bad('it is no key')
  const algorithm = cose.get(3)
  const bytes = (label: number, what: string): Uint8Array => {
    const value = cose.get(label)
    if (!(value instanceof Uint8Array)) throw bad(`${what} is missing`)
    return value
  }
  const has = (label: number, value: number) => {
    if (cose.get(label) !== value) throw bad('its kind does not go with its algorithm')
  }
  const exactly = (size: number, value: Uint8Array) => {
    if (value.length !== size) throw bad(`a part of it has ${value.length} bytes instead of ${size}`)
    return url(value)
  }
  switch (algorithm) {
    case -8:
      has(1, 1)
      has(-1, 6)
      return { algorithm, key: open({ kty: 'OKP', crv: 'Ed25519', x: exactly(32, bytes(-2, 'x')) }) }
    case -7:
      has(1, 2)
      has(-1, 1)
      return {
        algorithm,
        key: open({ kty: 'EC', crv: 'P-256', x: exactly(32, bytes(-2, 'x')), y: exactly(32, bytes(-3, 'y')) }),
      }
    case -257: {
      has(1, 3)
      const n = bytes(-1, 'n')
      if (n.length < rsaBytes.least || n.length > rsaBytes.most || n[0] === 0) throw bad('it is too short or too long')
      if (url(bytes(-2, 'e')) !== 'AQAB') throw bad('its exponent is not 65537')
      return { algorithm, key: open({ kty: 'RSA', n: url(n), e: 'AQAB' }) }
    }
    default:
      throw signInError('passkey.algorithm', { algorithm: typeof algorithm === 'number' ? algorithm : 'none' })
  }
}

/** Whether a signature of a passkey is right. */
export function passkeySigned({ algorithm, key }: PasskeyKey, signed: Uint8Array, signature: Uint8Array): boolean {
  return verify(algorithm === -8 ? null : 'sha256', signed, key, signature)
}

function open(jwk: Record<string, string>): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch (error) {
    throw signInError('passkey.key', { reason: 'it is no point of its curve' }, error)
  }
}

const url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
const bad = (reason: string) => signInError('passkey.key', { reason })
