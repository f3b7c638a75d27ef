import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import type { Database, Random } from '#kernel'
import { storageError } from '../errors.ts'
import { findEpoch, keepFirstEpoch } from './epochs.store.ts'
import type { SegmentKeys } from './segment-seal.ts'

/** Keys as the index keeps them: readable only with the epoch keys of their scope, which the index does not hold. */
export type WrappedData = { epoch: number; data: Uint8Array; commitment: Uint8Array }
export type WrappedIntegrity = { epoch: number; integrity: Uint8Array }
export type WrappedKeys = WrappedData & WrappedIntegrity

/** The key above all keys. A key management system can stand behind it. */
export type RootKey = {
  wrap(plain: Uint8Array, context: Uint8Array): Promise<Uint8Array>
  unwrap(wrapped: Uint8Array, context: Uint8Array): Promise<Uint8Array>
}

export type KeyStore = {
  /** Wraps a segment's keys under the current epoch of a bucket, which is made on first use. */
  wrap(bucket: string, keys: SegmentKeys): Promise<WrappedKeys>
  /** The same for a pack, which has an integrity key alone and a class for its scope. */
  wrapIntegrity(scope: string, keys: Pick<SegmentKeys, 'segment' | 'integrity'>): Promise<WrappedIntegrity>
  /** The same for an object in a pack, which has a data key alone. @param id 16 bytes that nothing else has */
  wrapData(bucket: string, id: Uint8Array, data: Uint8Array): Promise<WrappedData>
  unwrapIntegrity(scope: string, segment: Uint8Array, wrapped: WrappedIntegrity): Promise<Uint8Array>
  /** 32 secret bytes for something that is not stored bytes, such as the key of the log; made at the first time. */
  secret(name: string): Promise<Uint8Array>
  /** @throws key.commitment when the key that comes out is not the one that was wrapped */
  unwrapData(bucket: string, id: Uint8Array, wrapped: WrappedData): Promise<Uint8Array>
}

/** Two independent keys, so that audit and repair can be given the one without the other. */
type Epoch = { number: number; data: Uint8Array; integrity: Uint8Array }

const keyBytes = 32
const keptEpochs = 10_000

export function openKeyStore(ports: { database: Database; random: Random; root: RootKey }): KeyStore {
  const { database, random, root } = ports
  const current = new Map<string, Promise<Epoch>>()
  const known = new Map<string, Promise<Epoch>>()
  const context = (bucket: string, epoch: number) => Buffer.from(`pelago epoch ${bucket} ${epoch}`)

  const unwrapEpoch = async (bucket: string, number: number, wrapped: Uint8Array): Promise<Epoch> => {
    const keys = await root.unwrap(wrapped, context(bucket, number))
    return { number, data: keys.subarray(0, keyBytes), integrity: keys.subarray(keyBytes) }
  }
  const makeEpoch = async (bucket: string): Promise<Epoch> => {
    const fresh = await root.wrap(random.bytes(2 * keyBytes), context(bucket, 1))
    const row = await database.transact(() => keepFirstEpoch(bucket, fresh))
    if (!row) throw storageError('key.lost', { epoch: 1 })
    return unwrapEpoch(bucket, row.epoch, row.wrapped)
  }
  const loadEpoch = async (bucket: string, number: number): Promise<Epoch> => {
    const row = await database.read(() => findEpoch(bucket, number))
    if (!row) throw storageError('key.lost', { epoch: number })
    return unwrapEpoch(bucket, number, row.wrapped)
  }
  const kept = (cache: Map<string, Promise<Epoch>>, id: string, make: () => Promise<Epoch>) => {
    const found = cache.get(id)
    if (found) return found
    if (cache.size >= keptEpochs) cache.clear()
    const made = make()
    cache.set(id, made)
    made.catch(() => cache.delete(id))
    return made
  }
  const epochOf = (bucket: string, number: number) =>
    kept(known, `${bucket}/${number}`, () => loadEpoch(bucket, number))

  const currentOf = (scope: string) => kept(current, scope, () => makeEpoch(scope))
  const dataUnder = (epoch: Epoch, id: Uint8Array, data: Uint8Array): WrappedData => ({
    epoch: epoch.number,
    data: wrapKey(segmentKey(epoch.data, 'data', id), data),
    commitment: commit(data, id),
  })
  const integrityUnder = (epoch: Epoch, segment: Uint8Array, integrity: Uint8Array): WrappedIntegrity => ({
    epoch: epoch.number,
    integrity: wrapKey(segmentKey(epoch.integrity, 'integrity', segment), integrity),
  })

  return {
    async wrap(bucket, { segment, data, integrity }) {
      const epoch = await currentOf(bucket)
      return { ...dataUnder(epoch, segment, data), ...integrityUnder(epoch, segment, integrity) }
    },
    async wrapIntegrity(scope, { segment, integrity }) {
      return integrityUnder(await currentOf(scope), segment, integrity)
    },
    async wrapData(bucket, id, data) {
      return dataUnder(await currentOf(bucket), id, data)
    },
    async secret(name) {
      const scope = `secret ${name}`
      await currentOf(scope)
      return createHmac('sha256', (await epochOf(scope, 1)).data)
        .update('pelago secret 1')
        .digest()
    },
    async unwrapIntegrity(bucket, segment, wrapped) {
      const epoch = await epochOf(bucket, wrapped.epoch)
      return unwrapKey(segmentKey(epoch.integrity, 'integrity', segment), wrapped.integrity, segment)
    },
    async unwrapData(bucket, segment, wrapped) {
      const epoch = await epochOf(bucket, wrapped.epoch)
      const data = unwrapKey(segmentKey(epoch.data, 'data', segment), wrapped.data, segment)
      if (!timingSafeEqual(commit(data, segment), wrapped.commitment)) throw mismatch(segment)
      return data
    },
  }
}

/** The key that wraps one segment's key. It is used for that alone, which is why a nonce of zeros is right. */
function segmentKey(epochKey: Uint8Array, use: string, segment: Uint8Array): Uint8Array {
  return createHmac('sha256', epochKey).update(`pelago wrap ${use} 1`).update(segment).digest()
}

/** AES-GCM does not commit to its key: a ciphertext can be made that opens under two. This says which one it is. */
function commit(data: Uint8Array, segment: Uint8Array): Uint8Array {
  return createHmac('sha256', data).update('pelago commitment 1').update(segment).digest()
}

const zeroNonce = Buffer.alloc(12)

function wrapKey(key: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, zeroNonce)
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function unwrapKey(key: Uint8Array, wrapped: Uint8Array, segment: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-256-gcm', key, zeroNonce)
  decipher.setAuthTag(wrapped.subarray(keyBytes))
  const plain = decipher.update(wrapped.subarray(0, keyBytes))
  try {
    decipher.final()
  } catch (error) {
    throw mismatch(segment, error)
  }
  return plain
}

function mismatch(segment: Uint8Array, cause?: unknown) {
  return storageError('key.commitment', { segment: Buffer.from(segment).toString('hex') }, cause)
}
