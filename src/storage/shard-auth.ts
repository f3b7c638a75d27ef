import {
  createCipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'

/**
 * How a provider knows that a request comes from an enrolled gateway, and is the one it sent. Both hold static X25519 keys
 * (RFC 7748); out of what they share follows, by HKDF (RFC 5869), the key of an HMAC over everything a request says.
 * docs/formats/shard-protocol.md describes it for other implementations.
 */

/** What a request says, as far as it is signed. `target` is path and query. */
export type ShardRequest = {
  method: string
  target: string
  length: number
  expires: number
  nonce: string
  gateway: string
}

export const signedHeaders = {
  gateway: 'pelago-gateway',
  expires: 'pelago-expires',
  nonce: 'pelago-nonce',
  signature: 'pelago-signature',
} as const

/** A request is good for this long after it was signed; clocks may differ by as much. */
export const requestMs = 5 * 60 * 1000
/** Bytes behind the body of a PUT that bind it to its request. */
export const bodyTagBytes = 16

/** The key that one gateway and one provider share; either side computes it from its own private key and the other's public one. */
export function sharedKey(own: KeyObject, other: Uint8Array, gateway: Uint8Array, provider: Uint8Array): Uint8Array {
  const secret = diffieHellman({ privateKey: own, publicKey: publicKeyOf(other) })
  const info = Buffer.concat([Buffer.from('pelago shard protocol 1'), gateway, provider])
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), info, 32))
}

/** X25519 public key out of its 32 bytes (RFC 8410 says how it is wrapped). */
export function publicKeyOf(raw: Uint8Array): KeyObject {
  const der = Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), raw])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

/** The 32 bytes of an X25519 or Ed25519 public key. */
export function rawPublicKey(key: KeyObject): Uint8Array {
  return key.export({ format: 'der', type: 'spki' }).subarray(-32)
}

export function signShardRequest(key: Uint8Array, request: ShardRequest): string {
  const { method, target, length, expires, nonce, gateway } = request
  const text = ['pelago shard request 1', method, target, length, expires, nonce, gateway].join('\n')
  return createHmac('sha256', key).update(text).digest('hex')
}

/** @returns why the request is refused; undefined when it is good */
export function refusalOf(key: Uint8Array, request: ShardRequest, signature: string, now: number): string | undefined {
  const stated = /^[0-9a-f]{64}$/.test(signature) ? Buffer.from(signature, 'hex') : Buffer.alloc(32)
  const right = Buffer.from(signShardRequest(key, request), 'hex')
  if (!timingSafeEqual(stated, right)) return 'the signature is wrong'
  if (!Number.isSafeInteger(request.expires)) return 'the request does not say when it expires'
  if (request.expires < now) return 'the request has expired; compare the clocks'
  if (request.expires > now + 2 * requestMs) return 'the request claims to be good for too long; compare the clocks'
  if (!/^[0-9a-f]{32}$/.test(request.nonce)) return 'the nonce of the request is not 32 hexadecimal digits'
  return undefined
}

/** Running tag over a body: GMAC (NIST SP 800-38D) under a key of this request alone. */
export type BodyTag = { update(bytes: Uint8Array): void; digest(): Uint8Array }

export function openBodyTag(key: Uint8Array, nonce: string): BodyTag {
  const bodyKey = createHmac('sha256', key).update(`pelago shard body 1\n${nonce}`).digest()
  const mac = createCipheriv('aes-256-gcm', bodyKey, Buffer.alloc(12))
  return {
    update: (bytes) => void mac.setAAD(bytes),
    digest() {
      mac.final()
      return mac.getAuthTag()
    },
  }
}
