import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'
import { type Clock, type Database, hasCode, type HmacKey, hmacKey, hmacOf, type Log, type Random } from '#kernel'
import { storageError } from '../errors.ts'
import {
  countByRoot,
  destroyEpochs,
  type EpochAge,
  epochsNotUnder,
  epochsOf,
  findEpoch,
  findNewestEpoch,
  keepEpoch,
  replaceWrapped,
  type WrappedEpoch,
} from './epochs.store.ts'
import type { RootKey } from './root-key.ts'
import type { SegmentKeys } from './segment-seal.ts'

/** Keys as the index keeps them: readable only with the epoch keys of their scope, which the index does not hold. */
export type WrappedData = { epoch: number; data: Uint8Array; commitment: Uint8Array }
export type WrappedIntegrity = { epoch: number; integrity: Uint8Array }
export type WrappedKeys = WrappedData & WrappedIntegrity

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

  /** Begins a new epoch of a scope. Gateways notice within `newestMs`. @returns its number */
  beginEpoch(scope: string): Promise<number>
  /** Destroys the keys of all epochs below this one, for good. @returns how many */
  destroyBelow(scope: string, epoch: number): Promise<number>
  /** The epochs whose keys there are, ascending. */
  epochs(scope: string): Promise<EpochAge[]>
  /** One bounded step that brings epochs under the newest root key. @returns how many, and whether there are more */
  rewrapRoots(): Promise<{ moved: number; more: boolean }>
  roots(): Promise<{ newest: string; counts: { root: string; epochs: number }[] }>
  /** Forgets keys that were in memory for as long as they may be. Called from time to time. */
  prune(): void
}

/** How long keys stay in memory, milliseconds. */
export type KeyLimits = {
  /** An epoch's keys are used this long after the root key last opened them; from half of it on they are opened again. */
  keptMs: number
  /** Which epoch is the newest is asked again after this. */
  newestMs: number
  /** After the root key did not answer. */
  retryMs: number
}
export const defaultKeyLimits: KeyLimits = { keptMs: 10 * 60_000, newestMs: 10_000, retryMs: 5000 }

/** Two independent keys, so that audit and repair can be given the one without the other. */
type Epoch = { number: number; data: HmacKey; integrity: HmacKey }
/** Something in memory: looked at again from `againAt` on while it is used, not used any more from `until` on. */
type Kept<T> = { value: Promise<T>; againAt: number; until: number }

const keyBytes = 32
const none = new Uint8Array(0)
const keptEpochs = 10_000
const rewrapsAtOnce = 32

/** What is bound to the keys of an epoch where they are wrapped by the root key. */
export const epochContext = (scope: string, epoch: number) => `pelago epoch ${scope} ${epoch}`

type Ports = { clock: Clock; database: Database; random: Random; root: RootKey; log: Log }

/**
 * The keys of epochs, opened by the root key and kept in memory for a bounded time: while the root key does not answer, what
 * is in memory goes on being used for so long, then reading and writing are refused with `key.unavailable` until it is back.
 */
export function openKeyStore(ports: Ports, limits: KeyLimits = defaultKeyLimits): KeyStore {
  const { clock, database, random, root, log } = ports
  /** Scope -> number of its newest epoch. */
  const current = new Map<string, Kept<number>>()
  const known = new Map<string, Kept<Epoch>>()
  const idOf = (scope: string, epoch: number) => `${scope}/${epoch}`
  let warnedAt = Number.NEGATIVE_INFINITY

  const openEpoch = async (scope: string, row: WrappedEpoch): Promise<Epoch> =>
    split(row.epoch, await root.unwrap(row, epochContext(scope, row.epoch)))
  const makeEpoch = async (scope: string, number: number): Promise<number> => {
    const keys = random.bytes(2 * keyBytes)
    const fresh = { ...(await root.wrap(keys, epochContext(scope, number))), epoch: number }
    const row = await database.transact(() => keepEpoch(scope, fresh, clock.now()))
    if (!row) throw storageError('key.lost', { epoch: number })
    const mine = row.epoch === number && Buffer.compare(row.wrapped, fresh.wrapped) === 0
    if (mine) await keep(known, idOf(scope, number), limits.keptMs / 2, Promise.resolve(split(number, keys)))
    return row.epoch
  }
  const loadEpoch = async (scope: string, number: number): Promise<Epoch> => {
    const row = await database.read(() => findEpoch(scope, number))
    if (!row) throw storageError('key.lost', { epoch: number })
    return openEpoch(scope, row)
  }
  const loadNewest = async (scope: string): Promise<number> => {
    const row = await database.read(() => findNewestEpoch(scope))
    return row?.epoch ?? makeEpoch(scope, 1)
  }

  const keep = <T>(cache: Map<string, Kept<T>>, id: string, afterMs: number, value: Promise<T>): Promise<T> => {
    if (cache.size >= keptEpochs) cache.clear()
    const now = clock.now()
    const made = { value, againAt: now + afterMs, until: now + limits.keptMs }
    cache.set(id, made)
    value.catch(() => cache.get(id) === made && cache.delete(id))
    return value
  }
  /** Looks again while the old value goes on being used; what was destroyed meanwhile is forgotten at once. */
  const lookAgain = <T>(
    cache: Map<string, Kept<T>>,
    id: string,
    found: Kept<T>,
    afterMs: number,
    make: () => Promise<T>,
  ) => {
    found.againAt = clock.now() + limits.retryMs
    make().then(
      (value) => {
        if (cache.get(id) === found) void keep(cache, id, afterMs, Promise.resolve(value))
      },
      (error: unknown) => {
        if (hasCode(error, 'key.lost') && cache.get(id) === found) cache.delete(id)
        if (clock.now() - warnedAt < limits.retryMs) return
        warnedAt = clock.now()
        log('warn', 'epoch.unopened', { epoch: id, reason: error instanceof Error ? error.message : String(error) })
      },
    )
  }
  const kept = <T>(cache: Map<string, Kept<T>>, id: string, afterMs: number, make: () => Promise<T>): Promise<T> => {
    const found = cache.get(id)
    const now = clock.now()
    if (!found || now >= found.until) return keep(cache, id, afterMs, make())
    if (now >= found.againAt) lookAgain(cache, id, found, afterMs, make)
    return found.value
  }
  const epochOf = (scope: string, number: number) =>
    kept(known, idOf(scope, number), limits.keptMs / 2, () => loadEpoch(scope, number))
  const currentOf = async (scope: string) =>
    epochOf(scope, await kept(current, scope, limits.newestMs, () => loadNewest(scope)))

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
      return hmacOf((await epochOf(scope, 1)).data, 'pelago secret 1', none)
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

    async beginEpoch(scope) {
      const newest = await database.read(() => findNewestEpoch(scope))
      const number = await makeEpoch(scope, (newest?.epoch ?? 0) + 1)
      await keep(current, scope, limits.newestMs, Promise.resolve(number))
      return number
    },
    async destroyBelow(scope, epoch) {
      const destroyed = await database.transact(() => destroyEpochs(scope, epoch))
      for (const id of known.keys()) {
        const [of, number] = id.split('/')
        if (of === scope && Number(number) < epoch) known.delete(id)
      }
      return destroyed
    },
    epochs: (scope) => database.read(() => epochsOf(scope)),
    async rewrapRoots() {
      const newest = await root.newest()
      const rows = await database.read(() => epochsNotUnder(newest, rewrapsAtOnce))
      for (const row of rows) {
        const wrapped = await root.rewrap(row, epochContext(row.scope, row.epoch))
        await database.transact(() => replaceWrapped(row, row, wrapped))
      }
      return { moved: rows.length, more: rows.length === rewrapsAtOnce }
    },
    async roots() {
      const [newest, counts] = await Promise.all([root.newest(), database.read(countByRoot)])
      return { newest, counts }
    },
    prune() {
      const now = clock.now()
      for (const cache of [current, known]) {
        for (const [id, { until }] of cache) if (now >= until) cache.delete(id)
      }
    },
  }
}

function split(number: number, keys: Uint8Array): Epoch {
  return { number, data: hmacKey(keys.subarray(0, keyBytes)), integrity: hmacKey(keys.subarray(keyBytes)) }
}

/** The key that wraps one segment's key. It is used for that alone, which is why a nonce of zeros is right. */
function segmentKey(epochKey: HmacKey, use: string, segment: Uint8Array): Uint8Array {
  return hmacOf(epochKey, `pelago wrap ${use} 1`, segment)
}

/** AES-GCM does not commit to its key: a ciphertext can be made that opens under two. This says which one it is. */
function commit(data: Uint8Array, segment: Uint8Array): Uint8Array {
  return hmacOf(hmacKey(data), 'pelago commitment 1', segment)
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
