import { createHash } from 'node:crypto'
import { type Cbor, readCbor } from './cbor.ts'
import { signInError } from './errors.ts'

/** What an authenticator says beside its signature. */
export type AuthenticatorData = {
  counter: number
  backupEligible: boolean
  backedUp: boolean
  /** Only at registration: model, name and key of the passkey. */
  attested?: { aaguid: Uint8Array; id: Uint8Array; key: Cbor; keyBytes: Uint8Array }
}

const flag = { present: 1, verified: 4, backupEligible: 8, backedUp: 16, attested: 64, extensions: 128 }
const idMost = 1023

/**
 * Reads and judges authenticator data. Source: WebAuthn level 3 section 6.1 and steps 14 to 18 of 7.1, 15 to 19 of 7.2.
 * @param rp the name that passkeys are bound to, such as `storage.example.org`
 * @throws passkey.malformed, passkey.rp, passkey.presence, passkey.verification, passkey.backup, passkey.extended
 */
export function readAuthenticatorData(bytes: Uint8Array, rp: string): AuthenticatorData {
  if (bytes.length < 37) throw bad('the authenticator data is too short')
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const flags = view[32] as number
  const has = (bit: number) => (flags & bit) !== 0
  if (!createHash('sha256').update(rp).digest().equals(view.subarray(0, 32))) throw signInError('passkey.rp', { rp })
  if (!has(flag.present)) throw signInError('passkey.presence')
  if (!has(flag.verified)) throw signInError('passkey.verification')
  if (has(flag.backedUp) && !has(flag.backupEligible)) throw signInError('passkey.backup')
  if (has(flag.extensions)) throw signInError('passkey.extended')
  const said = {
    counter: view.readUInt32BE(33),
    backupEligible: has(flag.backupEligible),
    backedUp: has(flag.backedUp),
  }
  if (!has(flag.attested)) {
    if (bytes.length !== 37) throw bad('something follows the authenticator data')
    return said
  }
  if (bytes.length < 55) throw bad('the authenticator data is too short')
  const idEnd = 55 + view.readUInt16BE(53)
  if (idEnd - 55 > idMost || idEnd === 55 || idEnd > bytes.length)
    throw bad('the name of the passkey has no such length')
  const { value: key, length } = cborOf(bytes.subarray(idEnd))
  if (idEnd + length !== bytes.length) throw bad('something follows the authenticator data')
  const attested = {
    aaguid: bytes.subarray(37, 53),
    id: bytes.subarray(55, idEnd),
    key,
    keyBytes: bytes.subarray(idEnd),
  }
  return { ...said, attested }
}

/** @throws passkey.malformed */
export function cborOf(bytes: Uint8Array): ReturnType<typeof readCbor> {
  try {
    return readCbor(bytes)
  } catch (error) {
    throw signInError('passkey.malformed', { reason: error instanceof Error ? error.message : String(error) }, error)
  }
}

const bad = (reason: string) => signInError('passkey.malformed', { reason })
