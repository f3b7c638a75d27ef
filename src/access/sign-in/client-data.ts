import { createHash, timingSafeEqual } from 'node:crypto'
import { fromUtf8 } from '#kernel'
import { signInError } from './errors.ts'

/** What the browser must have said about a ceremony. */
export type Expected = {
  /** base64url, as it was handed out. */
  challenge: string
  /** `https://…` of the pages that may use passkeys. */
  origins: readonly string[]
  /** The name that passkeys are bound to. */
  rp: string
}

/**
 * Judges what the browser signed along: kind, challenge, page. Source: WebAuthn level 3 section 5.8.1, steps 7 to 11 of
 * 7.1 and 10 to 14 of 7.2.
 * @returns the SHA-256 of the bytes, which is what the passkey has signed
 * @throws passkey.malformed, passkey.type, passkey.challenge, passkey.origin, passkey.framed
 */
export function checkClientData(
  bytes: Uint8Array,
  type: 'webauthn.create' | 'webauthn.get',
  expected: Expected,
): Uint8Array {
  const said = parse(bytes)
  if (said.type !== type) throw signInError('passkey.type', { type: shown(said.type), expected: type })
  const right = Buffer.from(expected.challenge)
  const stated = Buffer.from(typeof said.challenge === 'string' ? said.challenge : '')
  if (stated.length !== right.length || !timingSafeEqual(stated, right)) throw signInError('passkey.challenge')
  if (typeof said.origin !== 'string' || !expected.origins.includes(said.origin))
    throw signInError('passkey.origin', { origin: shown(said.origin) })
  // The pages of a gateway are never shown inside another's.
  if ((said.crossOrigin !== undefined && said.crossOrigin !== false) || said.topOrigin !== undefined)
    throw signInError('passkey.framed')
  return createHash('sha256').update(bytes).digest()
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(fromUtf8(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw signInError('passkey.malformed', { reason: 'the client data is not JSON' }, error)
  }
  throw signInError('passkey.malformed', { reason: 'the client data is no object' })
}

const shown = (value: unknown) => (typeof value === 'string' ? value.slice(0, 200) : 'none')
