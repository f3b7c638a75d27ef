/** An authenticator for tests, written from the specifications alone: keys, CBOR, attestation, assertions. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export type CborValue = number | string | boolean | Uint8Array | Map<number | string, CborValue>
export type Algorithm = -7 | -8 | -257

/** What a test may bend. Each part is applied before anything is signed over it, unless its name says otherwise. */
export type Bend = {
  client?: Record<string, unknown>
  clientText?: string
  rp?: string
  /** Bits to take out of and to put into the flags. */
  without?: number
  also?: number
  counter?: number
  /** Replaces the public key in the attestation. */
  cose?: Map<number | string, CborValue>
  format?: string
  statement?: (statement: Map<number | string, CborValue>) => Map<number | string, CborValue>
  /** Changes authenticator data before the passkey signs it, or after. */
  data?: (data: Buffer) => Buffer
  dataAfter?: (data: Buffer) => Buffer
  attestation?: (bytes: Buffer) => Buffer
  signature?: (signature: Buffer) => Buffer
  userHandle?: string | null
}

export type Creation = { challenge: string; rp: { id: string }; user: { id: string } }
export type Asking = { challenge: string; rpId: string }

const flags = { present: 1, verified: 4, attested: 64 }

/** A passkey on a machine that a person touches and unlocks. */
export class Passkey {
  readonly id = randomBytes(32)
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  counter = 0
  /** Some authenticators do not count. */
  counts = true
  userHandle = ''

  constructor(algorithm: Algorithm = -7) {
    this.algorithm = algorithm
    const pair =
      algorithm === -7
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : algorithm === -8
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.privateKey = pair.privateKey
    this.publicKey = pair.publicKey
  }

  /** What `navigator.credentials.create()` would give, for our API. */
  create(options: Creation, origin: string, attest: 'none' | 'packed' = 'none', bend: Bend = {}) {
    this.userHandle = options.user.id
    const client = clientData('webauthn.create', options.challenge, origin, bend)
    const attested = Buffer.concat([Buffer.alloc(16), uint16(this.id.length), this.id, cbor(bend.cose ?? this.cose())])
    const head = this.head(options.rp.id, flags.attested, bend)
    const data = bend.data?.(Buffer.concat([head, attested])) ?? Buffer.concat([head, attested])
    const signature = this.sign(Buffer.concat([data, sha256(client)]))
    const statement = new Map<number | string, CborValue>(
      attest === 'packed'
        ? [
            ['alg', this.algorithm],
            ['sig', bend.signature?.(signature) ?? signature],
          ]
        : [],
    )
    const whole = cbor(
      new Map<number | string, CborValue>([
        ['fmt', bend.format ?? attest],
        ['attStmt', bend.statement?.(statement) ?? statement],
        ['authData', bend.dataAfter?.(data) ?? data],
      ]),
    )
    return {
      id: url(this.id),
      clientData: url(client),
      attestation: url(bend.attestation?.(whole) ?? whole),
      transports: ['internal'],
    }
  }

  /** What `navigator.credentials.get()` would give, for our API. */
  get(options: Asking, origin: string, bend: Bend = {}) {
    const client = clientData('webauthn.get', options.challenge, origin, bend)
    const head = this.head(options.rpId, 0, bend)
    const data = bend.data?.(head) ?? head
    const signature = this.sign(Buffer.concat([data, sha256(client)]))
    const userHandle = bend.userHandle === undefined ? this.userHandle : bend.userHandle
    return {
      id: url(this.id),
      clientData: url(client),
      authenticatorData: url(bend.dataAfter?.(data) ?? data),
      signature: url(bend.signature?.(signature) ?? signature),
      ...(userHandle !== null && { userHandle }),
    }
  }

  /** The public key as COSE has it (RFC 9052, RFC 9053, RFC 8230). */
  cose(): Map<number | string, CborValue> {
    const { x = '', y = '', n = '', e = '' } = this.publicKey.export({ format: 'jwk' })
    const part = (text: string) => Buffer.from(text, 'base64url')
    switch (this.algorithm) {
      case -7:
        return new Map<number, CborValue>([
          [1, 2],
          [3, -7],
          [-1, 1],
          [-2, part(x)],
          [-3, part(y)],
        ])
      case -8:
        return new Map<number, CborValue>([
          [1, 1],
          [3, -8],
          [-1, 6],
          [-2, part(x)],
        ])
      case -257:
        return new Map<number, CborValue>([
          [1, 3],
          [3, -257],
          [-1, part(n)],
          [-2, part(e)],
        ])
    }
  }

  private head(rp: string, more: number, bend: Bend): Buffer {
    if (this.counts) this.counter++
    const set = ((flags.present | flags.verified | more) & ~(bend.without ?? 0)) | (bend.also ?? 0)
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(bend.counter ?? this.counter)
    return Buffer.concat([sha256(Buffer.from(bend.rp ?? rp)), Buffer.from([set]), counter])
  }

  private sign(bytes: Buffer): Buffer {
    return sign(this.algorithm === -8 ? null : 'sha256', bytes, this.privateKey)
  }
}

function clientData(type: string, challenge: string, origin: string, bend: Bend): Buffer {
  return Buffer.from(bend.clientText ?? JSON.stringify({ type, challenge, origin, crossOrigin: false, ...bend.client }))
}

/** CBOR in its shortest form (RFC 8949). */
export function cbor(value: CborValue): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'boolean') return Buffer.from([value ? 0xf5 : 0xf4])
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, part]) => [cbor(key), cbor(part)])])
}

function head(kind: number, count: number): Buffer {
  if (count < 24) return Buffer.from([(kind << 5) | count])
  if (count < 256) return Buffer.from([(kind << 5) | 24, count])
  return Buffer.concat([Buffer.from([(kind << 5) | 25]), uint16(count)])
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
const url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
