import { type Clock, type Database, hasCode, type Log, PelagoError, type Random } from '#kernel'
import { journalError } from './errors.ts'
import { appendFact } from './fact.store.ts'
import {
  endorse,
  isSigned,
  keyOfSeed,
  type LogKey,
  logName,
  parseHead,
  type SignedHead,
  type SigningKey,
} from './head.ts'
import type { Journal } from './journal.ts'
import * as store from './log.store.ts'

/** Where the last head that was seen is kept: not in the database, so that an older database is noticed. */
export type KeptHead = {
  /** Named in errors. */
  file: string
  load(): Promise<string | undefined>
  save(note: string): Promise<void>
  /** What `FILE.restored` holds: somebody says that the database was put back knowingly. */
  loadRestored(): Promise<string | undefined>
  dropRestored(): Promise<void>
}

export type LogPorts = {
  database: Database
  clock: Clock
  log: Log
  random: Random
  journal: Journal
  /** 32 secret bytes of that name, made at the first time, out of the key store that all processes of this log share. */
  secret(name: string): Promise<Uint8Array>
  kept: KeptHead
}

/** The log of one database, ready to be added to. Several processes may have it open. */
export type SealedLog = {
  /** Gives what was stated its place and signs a head over it. Anybody may do it at any time. @throws log.older, log.damaged */
  seal(): Promise<'more' | 'idle'>
  /** Signs with another key from here on; the present one vouches for it. @throws log.damaged */
  rotate(actor: string): Promise<LogKey>
  /** The head that is kept outside the database. */
  kept(): string | undefined
  /** What was found wrong while running. */
  fault(): PelagoError | undefined
  /** Seals what is left and ends the watch. */
  stop(): Promise<void>
}

const sealedAtOnce = 128
const watchMs = 60_000
const stopRounds = 50

/**
 * Opens the log: checks that the database goes on from the head that this process, or one before it, saw last.
 * @throws log.older, log.forked, log.foreign, log.damaged, head.damaged, database errors
 */
export async function openSealedLog(ports: LogPorts): Promise<SealedLog> {
  const { database, clock, kept, log } = ports
  const restored = await kept.loadRestored()
  let seen = await checkKept(ports, restored === undefined ? await kept.load() : undefined)
  let key = restored === undefined ? await signingKey(ports) : await beginAnew(ports, restored)
  let fault: PelagoError | undefined
  let cancel = () => {}
  let stopped = false

  const keep = async (head: SignedHead | undefined) => {
    if (!head || (seen && head.log === seen.log && head.size <= seen.size)) return
    seen = head
    await kept.save(head.note)
  }
  const seal = async (): Promise<'more' | 'idle'> => {
    // Nearly always nothing waits: that costs no write.
    if ((await database.read(() => store.countPending(1))) === 0) {
      // Whoever has sealed nothing yet goes on from what others have.
      if (!seen) await keep(await checkKept(ports, undefined))
      return 'idle'
    }
    const options = { now: clock.now(), most: sealedAtOnce, kept: seen?.size ?? 0, file: kept.file }
    const sealed = await database.transact(() => store.sealPending(key, options))
    if (sealed.outcome === 'idle') return 'idle'
    if (sealed.outcome === 'key') {
      key = await signingKey(ports)
      return 'more'
    }
    await keep(sealed.head)
    return sealed.entries === sealedAtOnce ? 'more' : 'idle'
  }
  /** Others seal too; what they signed must go on from what was seen here. */
  const look = async () => {
    const head = await checkKept(ports, seen?.note)
    await keep(head)
    fault = undefined
  }
  const watch = () => {
    cancel = clock.after(watchMs, () => {
      look()
        .catch((error: unknown) => {
          if (hasCode(error, 'log.older', 'log.forked', 'log.foreign', 'log.damaged')) fault = error
          log('error', 'log.unproved', { reason: error instanceof Error ? error.message : String(error) })
        })
        .finally(() => stopped || watch())
    })
  }

  await keepFirst()
  watch()
  return {
    async seal() {
      try {
        return await seal()
      } catch (error) {
        if (hasCode(error, 'log.older', 'log.damaged')) fault = error
        throw error
      }
    },
    async rotate(actor) {
      while ((await seal()) === 'more');
      key = await rotateKey(ports, key, actor)
      while ((await seal()) === 'more');
      return key
    },
    kept: () => seen?.note,
    fault: () => fault,
    async stop() {
      stopped = true
      cancel()
      for (let round = 0; round < stopRounds && (await seal()) === 'more'; round++);
    },
  }

  async function keepFirst(): Promise<void> {
    if (restored === undefined) {
      if (seen) await kept.save(seen.note)
      return
    }
    while ((await seal()) === 'more');
    await kept.dropRestored()
  }
}

/** The key that the log is signed with now; the first is made with the log. */
async function signingKey(ports: LogPorts): Promise<SigningKey> {
  const found = await ports.database.read(() => store.lastKey())
  if (found) return withPrivate(ports, found)
  const fresh = await freshKey(ports)
  const first = { ...fresh, generation: 1, since: 0, endorsement: new Uint8Array() }
  const key = { ...first, log: logName(first) }
  await ports.database.transact(() => store.insertKey(key))
  // Of several processes that begin at the same time, one made the key of all.
  return withPrivate(ports, (await ports.database.read(() => store.lastKey())) ?? key)
}

async function freshKey(ports: LogPorts) {
  const secret = `log key ${Buffer.from(ports.random.bytes(16)).toString('hex')}`
  return { secret, ...keyOfSeed(await ports.secret(secret)) }
}

async function withPrivate({ secret, kept }: LogPorts, key: store.KeptKey): Promise<SigningKey> {
  const made = keyOfSeed(await secret(key.secret))
  if (Buffer.compare(made.public, key.public) !== 0) throw journalError('log.keyless', { file: kept.file })
  return { ...key, private: made.private }
}

async function rotateKey(ports: LogPorts, before: SigningKey, actor: string): Promise<SigningKey> {
  const fresh = await freshKey(ports)
  const next = { ...fresh, generation: before.generation + 1, log: before.log, endorsement: new Uint8Array() }
  const at = ports.clock.now()
  const made = await ports.database.transact(function* () {
    const since = yield* store.logSize()
    const key = { ...next, since, endorsement: endorse(before, { ...next, since }) }
    if (!(yield* store.insertKey(key))) return false
    const facts = { generation: key.generation, key: Buffer.from(key.public).toString('hex') }
    yield* appendFact(ports.journal, { topic: 'log.key', about: key.log, actor, tenant: '', at, facts })
    return true
  })
  if (!made) ports.log('info', 'log.key.overtaken', { generation: next.generation })
  return signingKey(ports)
}

/** The database was put back knowingly: the log goes on under a new name, and says what is lost. */
async function beginAnew(ports: LogPorts, restored: string): Promise<SigningKey> {
  const { file } = ports.kept
  const lost = parseHead(restored)
  if (!lost) throw journalError('head.damaged', { file: `${file}.restored`, reason: 'it cannot be read' })
  const fresh = await freshKey(ports)
  const at = ports.clock.now()
  await ports.database.transact(function* () {
    const generation = ((yield* store.lastKey())?.generation ?? 0) + 1
    const first = { ...fresh, generation, since: yield* store.logSize(), endorsement: new Uint8Array() }
    yield* store.insertKey({ ...first, log: logName(first) })
    const facts = { size: lost.size, root: Buffer.from(lost.root).toString('hex'), generation }
    yield* appendFact(ports.journal, {
      topic: 'log.restored',
      about: lost.log,
      actor: 'operator',
      tenant: '',
      at,
      facts,
    })
  })
  const key = await signingKey(ports)
  ports.log('warn', 'log.restored', { lost: lost.size, log: key.log })
  return key
}

/**
 * Compares the database with the head that was seen last, and its newest head with its entries.
 * @returns the newest head
 */
async function checkKept(
  { database, kept: { file } }: LogPorts,
  note: string | undefined,
): Promise<SignedHead | undefined> {
  const kept = note === undefined ? undefined : parseHead(note)
  if (note !== undefined && !kept) throw journalError('head.damaged', { file, reason: 'it cannot be read' })
  return database.read(function* () {
    const keys = yield* store.logKeys()
    const now = keys.at(-1)
    const size = yield* store.logSize()
    if (kept) {
      if (!keys.some(({ log }) => log === kept.log))
        throw journalError('log.foreign', { file, expected: kept.log, found: now?.log ?? 'none' })
      // A log that goes on under a new name has what was there when it got it.
      const held = now && now.log !== kept.log ? Math.min(size, beginOf(keys, now.log)) : size
      if (held < kept.size) throw journalError('log.older', { file, size: held, kept: kept.size })
      if (!isSigned(kept, keys)) throw journalError('head.damaged', { file, reason: 'no key of this log signed it' })
      if (Buffer.compare(yield* store.rootAt(kept.size), kept.root) !== 0)
        throw journalError('log.forked', { file, kept: kept.size })
    }
    const head = yield* store.lastHead()
    if ((head?.size ?? 0) !== size)
      throw journalError('log.damaged', { reason: `it has ${size} entries and a head of ${head?.size ?? 0}` })
    if (head && (!isSigned(head, keys) || Buffer.compare(yield* store.rootAt(size), head.root) !== 0))
      throw journalError('log.damaged', { reason: 'its last head is not of its entries' })
    return head
  })
}

/** How many entries there were when the log got its name. */
const beginOf = (keys: readonly LogKey[], log: string) => keys.find((key) => key.log === log)?.since ?? 0
