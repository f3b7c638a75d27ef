import { createCipheriv, createDecipheriv } from 'node:crypto'
import { accessError } from '../errors.ts'
import { derive, type Keyring } from '../secrets/keyring.ts'

/** What temporary credentials say about themselves. Sealed into the session token, so no gateway keeps anything about them. */
export type SessionClaims = {
  tenant: string
  tenantEpoch: number
  /** Id of the role. */
  role: string
  roleEpoch: number
  /** What whoever assumed it called the session. */
  name: string
  /** The access key that asked, with the epoch of its person; it must still be good. */
  by?: { key: string; person: string; personEpoch: number; tenant: string; tenantEpoch: number }
  /** The issuer of the web identity that asked; the tenant must still take its tokens. */
  issuer?: string
  /** Session policies: what each of them does not allow is not allowed. */
  policy?: string
  issuedAt: number
  expiresAt: number
}

/** Begins the ids of temporary credentials, so that nobody takes them for lasting ones. */
export const sessionPrefix = 'PTS'

const version = 1
const headBytes = 5
const tagBytes = 16
/** Each id is random and seals once, so its own key needs no nonce of its own. */
const nonce = new Uint8Array(12)

const tokenPurpose = (id: string) => `session token ${id}`
const secretPurpose = (id: string) => `session secret ${id}`

/** Secret and token of temporary credentials. @param id random, used once */
export async function sealSession(
  keyring: Keyring,
  id: string,
  claims: SessionClaims,
): Promise<{ secret: string; token: string }> {
  const { keyring: number, key } = await keyring.current()
  const head = Buffer.alloc(headBytes)
  head.writeUInt8(version)
  head.writeUInt32BE(number, 1)
  const cipher = createCipheriv('aes-256-gcm', derive(key, tokenPurpose(id)), nonce)
  cipher.setAAD(head)
  const sealed = Buffer.concat([cipher.update(JSON.stringify(claims), 'utf8'), cipher.final()])
  const token = Buffer.concat([head, sealed, cipher.getAuthTag()]).toString('base64')
  return { secret: secretOf(key, id), token }
}

/** Opens a token. @throws access.token */
export async function openSession(
  keyring: Keyring,
  id: string,
  token: string,
): Promise<{ secret: string; claims: SessionClaims }> {
  const bytes = Buffer.from(token, 'base64')
  if (bytes.length < headBytes + tagBytes || bytes.readUInt8() !== version || bytes.toString('base64') !== token)
    throw accessError('access.token', { reason: 'it is none of ours' })
  const head = bytes.subarray(0, headBytes)
  let key: Uint8Array
  let claims: SessionClaims
  try {
    key = await keyring.key(head.readUInt32BE(1))
    const decipher = createDecipheriv('aes-256-gcm', derive(key, tokenPurpose(id)), nonce)
    decipher.setAAD(head)
    decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes))
    const text = Buffer.concat([decipher.update(bytes.subarray(headBytes, bytes.length - tagBytes)), decipher.final()])
    claims = JSON.parse(text.toString()) as SessionClaims
  } catch (error) {
    throw accessError('access.token', { reason: 'it does not belong to this access key, or was altered' }, error)
  }
  return { secret: secretOf(key, id), claims }
}

const secretOf = (key: Uint8Array, id: string) => Buffer.from(derive(key, secretPurpose(id))).toString('base64url')
