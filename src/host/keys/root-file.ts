import { createCipheriv, createDecipheriv, createHmac, randomBytes, scryptSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { choice, exactly, fields, integer, list, optional, text } from '#api'
import { type RootKey, storageError } from '#storage'
import { hostError } from '../errors.ts'
import { writePrivateJson } from '../disk/write-file.ts'
import { readConfig } from '../run/configuration.ts'

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const mostKeys = 16

/** Cost of guessing a passphrase: 128 MiB and half a second each time (RFC 7914 has the parameters). */
export const usualCost = { N: 2 ** 17, r: 8, p: 1 }
export type Cost = typeof usualCost

const fileSchema = fields({
  version: exactly(1),
  /** `plain`: whoever reads the file has the keys. `sealed`: he needs the passphrase too. */
  kind: choice('plain', 'sealed'),
  kdf: optional(
    fields({
      name: choice('scrypt'),
      // Bounds, so that a file that somebody changed does not take all memory.
      N: integer({ min: 2, max: 2 ** 20 }),
      r: integer({ min: 1, max: 16 }),
      p: integer({ min: 1, max: 4 }),
      salt: text({ pattern: '^[0-9a-f]{32}$' }),
    }),
  ),
  /** The last one wraps; the others open what was wrapped before. */
  keys: list(
    fields({ id: text({ pattern: '^[0-9a-f]{16}$' }), createdAt: integer({ min: 0 }), key: text({ max: 200 }) }),
    mostKeys,
  ),
})

/** Root keys out of a file, in the clear, the newest last. */
export type RootKeys = { id: string; createdAt: number; key: Uint8Array }[]
/** How the file is to be sealed; not at all without a passphrase. */
export type Sealing = { passphrase: string; cost?: Cost } | undefined

/** @param now milliseconds since 1970 UTC */
export function freshRoot(now: number): RootKeys[number] {
  return namedRoot(randomBytes(keyBytes), now)
}

/** The name of a root key follows from it, so that a key that is put back has the name that it had. */
export function namedRoot(key: Uint8Array, createdAt: number): RootKeys[number] {
  const id = createHmac('sha256', key).update('pelago root name 1').digest('hex').slice(0, 16)
  return { id, createdAt, key }
}

/** Writes the file whole or not at all. */
export function writeRootFile(file: string, keys: RootKeys, sealing: Sealing): void {
  if (keys.length > mostKeys) throw hostError('root.many', { most: mostKeys })
  if (!sealing) {
    const plain = keys.map(({ id, createdAt, key }) => ({ id, createdAt, key: Buffer.from(key).toString('hex') }))
    return writePrivateJson(file, { version: 1, kind: 'plain', keys: plain })
  }
  const cost = sealing.cost ?? usualCost
  const salt = randomBytes(16)
  const above = derive(sealing.passphrase, salt, cost)
  const sealed = keys.map(({ id, createdAt, key }) => ({
    id,
    createdAt,
    key: Buffer.from(wrapWith(above, key, `pelago root file 1 ${id}`)).toString('hex'),
  }))
  const kdf = { name: 'scrypt', ...cost, salt: salt.toString('hex') }
  writePrivateJson(file, { version: 1, kind: 'sealed', kdf, keys: sealed })
}

/**
 * Reads a file of root keys, or one of before they had names: 64 hexadecimal digits.
 * @throws file.missing, data.damaged, root.passphrase when it is wrong or missing
 */
export function readRootFile(file: string, passphrase: string | undefined): RootKeys {
  const bare = bareKey(file)
  if (bare) return [namedRoot(bare, 0)]
  const { kind, kdf, keys } = readConfig(file, fileSchema)
  if (keys.length === 0) throw hostError('data.damaged', { file, reason: 'it holds no key' })
  if (kind === 'plain') return keys.map((one) => checked(file, { ...one, key: Buffer.from(one.key, 'hex') }))
  if (!kdf) throw hostError('data.damaged', { file, reason: 'it does not say how its passphrase is used' })
  if (passphrase === undefined) throw hostError('root.passphrase', { file, reason: 'none was given' })
  const above = derive(passphrase, Buffer.from(kdf.salt, 'hex'), kdf)
  return keys.map(({ id, createdAt, key }) => {
    const opened = unwrapWith(above, Buffer.from(key, 'hex'), `pelago root file 1 ${id}`)
    if (!opened) throw hostError('root.passphrase', { file, reason: 'the one that was given is wrong' })
    return checked(file, { id, createdAt, key: opened })
  })
}

/** Whether a file keeps its keys behind a passphrase. */
export function isSealed(file: string): boolean {
  return bareKey(file) === undefined && readConfig(file, fileSchema).kind === 'sealed'
}

/** What wraps with keys that are in memory. */
export function rootOf(keys: RootKeys): RootKey {
  const byId = new Map(keys.map(({ id, key }) => [id, key]))
  const newest = keys[keys.length - 1] as RootKeys[number]
  const open = (root: string, wrapped: Uint8Array, context: string): Uint8Array => {
    const named = byId.get(root)
    for (const key of named ? [named] : root === '' ? byId.values() : []) {
      const plain = unwrapWith(key, wrapped, context)
      if (plain) return plain
    }
    throw storageError('key.root')
  }
  const wrap = (plain: Uint8Array, context: string) => ({
    root: newest.id,
    wrapped: wrapWith(newest.key, plain, context),
  })
  return {
    newest: async () => newest.id,
    wrap: async (plain, context) => wrap(plain, context),
    unwrap: async ({ root, wrapped }, context) => open(root, wrapped, context),
    rewrap: async ({ root, wrapped }, context) => wrap(open(root, wrapped, context), context),
  }
}

function wrapWith(key: Uint8Array, plain: Uint8Array, context: string): Uint8Array {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** @returns undefined when it was not wrapped by this key, or for another context */
function unwrapWith(key: Uint8Array, wrapped: Uint8Array, context: string): Uint8Array | undefined {
  if (wrapped.length < nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, nonceBytes))
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(wrapped.subarray(wrapped.length - tagBytes))
  const plain = decipher.update(wrapped.subarray(nonceBytes, wrapped.length - tagBytes))
  try {
    decipher.final()
  } catch {
    // The one thing that can fail here is the tag.
    return undefined
  }
  return plain
}

function derive(passphrase: string, salt: Uint8Array, { N, r, p }: Cost): Uint8Array {
  return scryptSync(passphrase.normalize('NFC'), salt, keyBytes, { N, r, p, maxmem: 256 * N * r })
}

function bareKey(file: string): Uint8Array | undefined {
  let content: string
  try {
    content = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw hostError('file.missing', { file }, error)
    throw error
  }
  return /^[0-9a-f]{64}$/.test(content) ? Buffer.from(content, 'hex') : undefined
}

function checked(file: string, root: RootKeys[number]): RootKeys[number] {
  if (root.key.length !== keyBytes || namedRoot(root.key, 0).id !== root.id)
    throw hostError('data.damaged', { file, reason: `its key ${root.id} is not what it was` })
  return root
}
