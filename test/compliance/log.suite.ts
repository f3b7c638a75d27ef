import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { appendFact, factsAfter, journalMigrations, type KeptHead, openSealedLog, type SealedLog } from '#journal'
import { type Body, type Clock, type Database, type Row, sql } from '#kernel'
import * as store from '../../src/journal/log.store.ts'
import { parseHead } from '../../src/journal/head.ts'
import { memoryHead } from '../tools/memory-head.ts'
import type { DatabaseUnderTest } from './database.suite.ts'

const journal = { nameKey: Buffer.alloc(32, 1) }
const still: Clock = { now: () => Date.now(), after: () => () => {} }

/** A key store that all processes of a log share. */
const secretsOf = (root: Uint8Array) => async (name: string) => createHmac('sha256', root).update(name).digest()

/** What the log must be on every database, with several processes at work on it. */
export function logSuite(title: string, start: () => Promise<DatabaseUnderTest>): void {
  describe(`log: ${title}`, () => {
    let under: DatabaseUnderTest
    let database: Database
    const secret = secretsOf(randomBytes(32))
    const kept = memoryHead()
    const open = (head: KeptHead = kept): Promise<SealedLog> =>
      openSealedLog({
        ...{ database, clock: still, log: () => {}, journal, secret, kept: head },
        random: { bytes: (length) => randomBytes(length) },
      })
    const state = (version: number) =>
      database.transact(() =>
        appendFact(journal, {
          ...{ topic: 'directory.taken', about: 'suite', actor: 'system', tenant: '', at: version },
          facts: { version, providers: 1, gateways: 1, digest: 'a'.repeat(64) },
        }),
      )
    const sealAll = async (log: SealedLog) => {
      while ((await log.seal()) === 'more');
    }
    const look = (body: Body<Row[]>) => database.read(body)
    const everything = () => database.read(() => factsAfter(0, 10_000))

    before(async () => {
      under = await start()
      database = await under.open([{ component: 'journal', migrations: journalMigrations }])
    })
    after(async () => {
      await database.close()
      await under.close()
    })

    test('many state facts while several seal: each is in the log once, in order, without gaps', async () => {
      const logs = await Promise.all([open(), open(memoryHead()), open(memoryHead())])
      let refused = 0
      const sealing = logs.map(async (log) => {
        for (let round = 0; round < 15; round++) await log.seal().catch(() => refused++)
      })
      await Promise.all([...sealing, ...Array.from({ length: 60 }, (_, at) => state(at))])
      await sealAll(logs[0])
      const entries = await everything()
      assert.deepEqual(
        entries.map(({ sequence }) => sequence),
        Array.from({ length: 60 }, (_, at) => at + 1),
      )
      assert.deepEqual(
        new Set(entries.map(({ facts }) => facts.version)),
        new Set(Array.from({ length: 60 }, (_, at) => at)),
      )
      const keys = await look(function* () {
        const rows: Row[] = yield sql`SELECT generation FROM log_keys`
        return rows
      })
      assert.equal(keys.length, 1)
      assert.ok(refused < 45)
      for (const log of logs) await log.stop()
    })

    test('what was committed before is before', async () => {
      const log = await open()
      for (let at = 100; at < 110; at++) await state(at)
      await sealAll(log)
      const versions = (await everything()).slice(-10).map(({ facts }) => facts.version)
      assert.deepEqual(versions, [100, 101, 102, 103, 104, 105, 106, 107, 108, 109])
      await log.stop()
    })

    test('what a transaction states that is rolled back is not in the log', async () => {
      const log = await open()
      const size = (await everything()).length
      const lost = database.transact(function* () {
        const facts = { version: 1, providers: 1, gateways: 1, digest: 'a'.repeat(64) }
        yield* appendFact(journal, { topic: 'directory.taken', about: 'x', actor: 'system', tenant: '', at: 1, facts })
        throw new Error('no')
      })
      await assert.rejects(lost)
      await sealAll(log)
      assert.equal((await everything()).length, size)
      await log.stop()
    })

    test('another key signs from its place on, and the one before vouches for it', async () => {
      const [log, other] = [await open(), await open(memoryHead())]
      const key = await log.rotate('operator')
      assert.equal(key.generation, 2)
      await state(200)
      // Who does not know yet learns of it.
      await sealAll(other)
      const head = await database.read(() => store.lastHead())
      assert.equal(head?.log, key.log)
      assert.ok((head?.size ?? 0) > key.since)
      await (await open()).stop()
      await log.stop()
      await other.stop()
    })

    test('entries that were taken away, changed or put back to an older state are noticed at the start', async () => {
      const log = await open()
      await state(300)
      await sealAll(log)
      await log.stop()
      const head = parseHead(kept.note as string)
      assert.equal(head?.size, (await everything()).length)
      const size = head?.size ?? 0
      const broken = async (code: string, undo: Body<unknown>, ...deeds: Body<unknown>[]) => {
        for (const deed of deeds) await database.transact(deed)
        await assert.rejects(open(), { code })
        await database.transact(undo)
        await (await open()).stop()
      }
      const [row] = await look(function* () {
        const rows: Row[] = yield sql`SELECT topic, tenant, body, hash FROM log_entries WHERE sequence = ${size}`
        return rows
      })
      const { topic, tenant, body, hash } = row as Row
      const [note] = await look(function* () {
        const rows: Row[] = yield sql`SELECT generation, note FROM log_heads WHERE size = ${size}`
        return rows
      })
      const putEntry = function* () {
        yield sql`INSERT INTO log_entries (sequence, topic, tenant, body, hash)
          VALUES (${size}, ${topic as string}, ${tenant as string}, ${body as string}, ${hash as Uint8Array})`
      }
      const dropEntry = function* () {
        yield sql`DELETE FROM log_entries WHERE sequence = ${size}`
      }
      await broken(
        'log.older',
        function* () {
          yield* putEntry()
          yield sql`INSERT INTO log_heads (size, generation, note)
            VALUES (${size}, ${note?.generation as number}, ${note?.note as string})`
        },
        dropEntry,
        function* () {
          yield sql`DELETE FROM log_heads WHERE size = ${size}`
        },
      )
      await broken('log.older', putEntry, dropEntry)
      const setHash = (bytes: Uint8Array) =>
        function* () {
          yield sql`UPDATE log_entries SET hash = ${bytes} WHERE sequence = ${size}`
        }
      await broken('log.forked', setHash(hash as Uint8Array), setHash(randomBytes(32)))
      const mine = kept.note
      kept.note = `${mine}x`
      await assert.rejects(open(), { code: 'head.damaged' })
      kept.note = mine
      await (await open()).stop()
    })

    test('a database that was put back knowingly goes on under a new name and says what is lost', async () => {
      const log = await open()
      const size = (await everything()).length
      await state(400)
      await sealAll(log)
      await log.stop()
      const lost = parseHead(kept.note as string)
      await database.transact(function* () {
        yield sql`DELETE FROM log_entries WHERE sequence > ${size}`
        yield sql`DELETE FROM log_heads WHERE size > ${size}`
        for (let level = 1; level < 20; level++) {
          yield sql`DELETE FROM log_nodes WHERE level = ${level} AND (place + 1) * ${2 ** level} > ${size}`
        }
      })
      await assert.rejects(open(), { code: 'log.older' })
      kept.restored = kept.note
      kept.note = undefined
      const again = await open()
      const entry = (await everything()).at(-1)
      assert.equal(entry?.topic, 'log.restored')
      assert.deepEqual([entry?.about, entry?.facts.size], [lost?.log, lost?.size])
      assert.notEqual(parseHead(again.kept() ?? '')?.log, lost?.log)
      assert.equal(kept.restored, undefined)
      // Another process that saw the lost entries is not fooled either.
      const other = memoryHead()
      other.note = lost?.note
      await assert.rejects(open(other), { code: 'log.older' })
      await again.stop()
      await (await open()).stop()
    })
  })
}
