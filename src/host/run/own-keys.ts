import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rawPublicKey } from '#storage'
import { keepPrivate } from '../disk/write-file.ts'

/** Kinds of key that roles have: for signing directories, for the shard protocol, for certificates and signed requests. */
export type KeyType = 'ed25519' | 'x25519' | 'p256'

const fresh = {
  ed25519: () => generateKeyPairSync('ed25519'),
  x25519: () => generateKeyPairSync('x25519'),
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}

/** The private key in a file, made when it is missing. */
export function keyIn(file: string, type: KeyType): KeyObject {
  keepPrivate(file, () => fresh[type]().privateKey.export({ format: 'pem', type: 'pkcs8' }))
  return createPrivateKey(readFileSync(file))
}

/** The 32 bytes of the public key that belongs to a private one, hex; not for `p256`. */
export function publicHexOf(key: KeyObject): string {
  return Buffer.from(rawPublicKey(createPublicKey(key))).toString('hex')
}
