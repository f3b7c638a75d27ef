import { type AuthenticatorData, cborOf, readAuthenticatorData } from './authenticator-data.ts'
import type { Cbor } from './cbor.ts'
import { checkClientData, type Expected } from './client-data.ts'
import { signInError } from './errors.ts'
import { passkeySigned, readPasskeyKey } from './passkey-key.ts'

/** What a browser hands over after `navigator.credentials.create()`; bytes are base64url. */
export type RegistrationAnswer = { id: string; clientData: string; attestation: string; transports?: string[] }
/** What a browser hands over after `navigator.credentials.get()`. */
export type AssertionAnswer = {
  id: string
  clientData: string
  authenticatorData: string
  signature: string
  userHandle?: string
}
/** A passkey as it came out of a registration. */
export type FreshPasskey = {
  id: string
  publicKey: Uint8Array
  algorithm: number
  aaguid: string
} & Pick<AuthenticatorData, 'counter' | 'backupEligible' | 'backedUp'>

/** What is known of a passkey that signs somebody in. */
export type KnownPasskey = { publicKey: Uint8Array; counter: number; backupEligible: boolean; userHandle: string }

/**
 * Judges the answer to a registration. Statements about the authenticator's make are not asked for and, but for its own
 * signature, not taken: nobody here would know whom to trust, and reading them means fetching what strangers name.
 * Source: WebAuthn level 3 section 7.1.
 * @throws passkey.* for each thing that may be wrong
 */
export function judgeRegistration(answer: RegistrationAnswer, expected: Expected): FreshPasskey {
  const clientHash = checkClientData(bytesOf(answer.clientData, 'client data'), 'webauthn.create', expected)
  const { format, statement, data } = readAttestation(bytesOf(answer.attestation, 'attestation'))
  const { attested, ...said } = readAuthenticatorData(data, expected.rp)
  if (!attested) throw signInError('passkey.incomplete')
  const id = Buffer.from(attested.id).toString('base64url')
  if (id !== answer.id) throw signInError('passkey.id')
  const key = readPasskeyKey(attested.key)
  if (format === 'packed') {
    const signature = statement.get('sig')
    if (statement.has('x5c')) throw signInError('passkey.attestation', { format: 'packed with certificates' })
    if (statement.get('alg') !== key.algorithm || statement.size !== 2 || !(signature instanceof Uint8Array))
      throw signInError('passkey.statement')
    if (!passkeySigned(key, Buffer.concat([data, clientHash]), signature)) throw signInError('passkey.statement')
  } else if (format !== 'none') throw signInError('passkey.attestation', { format: format.slice(0, 40) })
  else if (statement.size > 0) throw signInError('passkey.statement')
  const aaguid = Buffer.from(attested.aaguid).toString('hex')
  return { id, publicKey: attested.keyBytes.slice(), algorithm: key.algorithm, aaguid, ...said }
}

/**
 * Judges the answer to a sign-in.
 * @returns what the passkey said, and whether its counter went back, which a copy of it would cause
 * @throws passkey.* for each thing that may be wrong
 */
export function judgeAssertion(
  answer: AssertionAnswer,
  known: KnownPasskey,
  expected: Expected,
): { counter: number; backedUp: boolean; regressed: boolean } {
  if (answer.userHandle !== undefined && answer.userHandle !== known.userHandle) throw signInError('passkey.owner')
  const clientHash = checkClientData(bytesOf(answer.clientData, 'client data'), 'webauthn.get', expected)
  const data = bytesOf(answer.authenticatorData, 'authenticator data')
  const said = readAuthenticatorData(data, expected.rp)
  if (said.backupEligible !== known.backupEligible) throw signInError('passkey.changed')
  const key = readPasskeyKey(cborOf(known.publicKey).value)
  const signature = bytesOf(answer.signature, 'signature')
  if (!passkeySigned(key, Buffer.concat([data, clientHash]), signature)) throw signInError('passkey.signature')
  const { counter, backedUp } = said
  return { counter, backedUp, regressed: (counter > 0 || known.counter > 0) && counter <= known.counter }
}

function readAttestation(bytes: Uint8Array): {
  format: string
  statement: Map<number | string, Cbor>
  data: Uint8Array
} {
  const { value, length } = cborOf(bytes)
  if (length !== bytes.length) throw bad('something follows the attestation')
  if (!(value instanceof Map)) throw bad('the attestation is no map')
  const [format, statement, data] = [value.get('fmt'), value.get('attStmt'), value.get('authData')]
  if (typeof format !== 'string' || !(statement instanceof Map) || !(data instanceof Uint8Array))
    throw bad('a part of the attestation is missing')
  return { format, statement, data }
}

/** Bytes of base64url without padding; another spelling of the same bytes is refused. */
function bytesOf(text: string, what: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length === 0 || bytes.toString('base64url') !== text) throw bad(`the ${what} is not base64url`)
  return bytes
}

const bad = (reason: string) => signInError('passkey.malformed', { reason })
