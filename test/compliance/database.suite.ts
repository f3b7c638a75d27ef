import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { advanceCursor, journalMigrations, readCursor } from '#journal'
import { type Database, type Migration, type Row, type Statement, sql } from '#kernel'
import { indexMigrations } from '#storage'
import { checkFence, enqueueJob, type Fence, type JobKind, newJobId, showJob, startWork, workMigrations } from '#work'
import { closeIntent, killIntent, planShards } from '../../src/storage/index/intents.store.ts'
import { insertSegment, replaceSegment, segmentsOf } from '../../src/storage/index/segments.store.ts'
import type { Segment } from '../../src/storage/index/segment.ts'

export type Schema = { component: string; migrations: readonly Migration[] }
export type DatabaseUnderTest = {
  open(schemas: readonly Schema[]): Promise<Database>
  /** Removes what the suite made. */
  close(): Promise<void>
}

const testMigrations: Migration[] = [
  {
    id: 1,
    name: 'for the suite',
    statements: [
      'CREATE TABLE counters (name {text} NOT NULL PRIMARY KEY, value {int} NOT NULL)',
      'CREATE TABLE keys (key {blob} NOT NULL PRIMARY KEY, owner {text}) {clustered}',
    ],
  },
]
const schemas: Schema[] = [
  { component: 'test', migrations: testMigrations },
  { component: 'index', migrations: indexMigrations },
  { component: 'work', migrations: workMigrations },
  { component: 'journal', migrations: journalMigrations },
]

type Step<T> = Generator<Statement, T, Row[]>
function* valueOf(name: string): Step<number> {
  const [row] = yield sql`SELECT value FROM counters WHERE name = ${name}`
  return Number(row?.value ?? 0)
}
function* setValue(name: string, value: number): Step<void> {
  yield sql`INSERT INTO counters (name, value) VALUES (${name}, ${value}) ON CONFLICT (name) DO UPDATE SET value = ${value}`
}

/** What every database driver must do, and what the stores of the planes must be able to rely on. */
export function databaseSuite(title: string, start: () => Promise<DatabaseUnderTest>): void {
  describe(`database: ${title}`, () => {
    let under: DatabaseUnderTest
    let database: Database
    before(async () => {
      under = await start()
      database = await under.open(schemas)
    })
    after(async () => {
      await database.close()
      await under.close()
    })

    test('a body that throws takes back its own deeds and nobody else’s', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, at) =>
          database.transact(function* () {
            yield* setValue(`alone ${at}`, at)
            if (at % 3 === 0) throw new Error('no')
          }),
        ),
      )
      for (const [at, { status }] of outcomes.entries()) {
        assert.equal(status, at % 3 === 0 ? 'rejected' : 'fulfilled')
        assert.equal(await database.read(() => valueOf(`alone ${at}`)), at % 3 === 0 ? 0 : at)
      }
    })

    test('a hundred racing increments count to a hundred', async () => {
      await Promise.all(
        Array.from({ length: 100 }, () =>
          database.transact(function* () {
            yield* setValue('race', (yield* valueOf('race')) + 1)
          }),
        ),
      )
      assert.equal(await database.read(() => valueOf('race')), 100)
    })

    test('of 32 who each want to be the first, one is', async () => {
      const winners = await Promise.all(
        Array.from({ length: 32 }, (_, at) =>
          database.transact(function* () {
            const [taken] = yield sql`SELECT owner FROM keys WHERE key = ${Buffer.from('one')}`
            if (taken) return false
            yield sql`INSERT INTO keys (key, owner) VALUES (${Buffer.from('one')}, ${String(at)})`
            return true
          }),
        ),
      )
      assert.equal(winners.filter(Boolean).length, 1)
    })

    test('two who each look at what the other changes cannot both be right: one sees the other', async () => {
      const take = (mine: string, other: string) =>
        database.transact(function* () {
          if ((yield* valueOf(other)) === 0) yield* setValue(mine, 1)
        })
      for (let round = 0; round < 10; round++) {
        await Promise.all([take(`a${round}`, `b${round}`), take(`b${round}`, `a${round}`)])
        const [a, b] = [
          await database.read(() => valueOf(`a${round}`)),
          await database.read(() => valueOf(`b${round}`)),
        ]
        assert.equal(a + b, 1)
      }
    })

    test('bytes are ordered as bytes, and come back as they were; numbers are exact to 2^53', async () => {
      const keys = ['', 'A', 'a', 'a ', 'aa', 'é', '～', '😀'].map((text) => Buffer.from(`order/${text}`))
      keys.push(Buffer.from([0xff, 0x00]), Buffer.from([0xff]))
      for (const key of [...keys].reverse()) {
        await database.transact(function* () {
          yield sql`INSERT INTO keys (key, owner) VALUES (${key}, ${null})`
        })
      }
      const rows = await database.read(function* () {
        const rows: Row[] = yield sql`SELECT key, owner FROM keys WHERE key >= ${Buffer.from('order/')} ORDER BY key`
        return rows
      })
      const sorted = [...keys].sort((a, b) => Buffer.compare(a, b))
      assert.deepEqual(
        rows.map(({ key }) => Buffer.from(key as Uint8Array).toString('hex')),
        sorted.map((key) => key.toString('hex')),
      )
      assert.ok(rows.every(({ key, owner }) => key instanceof Uint8Array && owner === null))
      await database.transact(() => setValue('large', Number.MAX_SAFE_INTEGER))
      assert.equal(await database.read(() => valueOf('large')), Number.MAX_SAFE_INTEGER)
    })

    test('a schema is made once; one that is newer than this program is refused', async () => {
      const again = await under.open(schemas)
      assert.equal(await again.read(() => valueOf('race')), 100)
      await again.close()
      const newer = [
        {
          component: 'test',
          migrations: [...testMigrations, { id: 2, name: 'later', statements: ['CREATE TABLE later (a {int})'] }],
        },
      ]
      await (await under.open(newer)).close()
      await assert.rejects(under.open(schemas.slice(0, 1)), { code: 'database.newer' })
    })

    test('what is wrong in a statement is said, and the next transaction works', async () => {
      await assert.rejects(
        database.transact(function* () {
          yield sql`SELECT * FROM nowhere`
        }),
        { code: 'database.failed' },
      )
      assert.equal(await database.read(() => valueOf('race')), 100)
    })

    test('an intent is closed once, and never after it was given up', async () => {
      const plan = (id: string) =>
        database.transact(() => planShards(id, 1000, [{ provider: 'p', name: `${id}-shard` }]))
      const close = (id: string) => database.transact(() => closeIntent(id, new Set(), 0))
      await plan('i1')
      assert.deepEqual((await Promise.all([close('i1'), close('i1'), close('i1')])).filter(Boolean), [true])
      await plan('i2')
      const outcomes = await Promise.all([close('i2'), database.transact(() => killIntent('i2'))])
      assert.equal(outcomes.filter(Boolean).length, 1)
      await plan('i3')
      await database.transact(() => killIntent('i3'))
      assert.equal(await close('i3'), false)
      assert.equal(await database.transact(() => planShards('i3', 2000, [])), false)
    })

    test('a segment is replaced by one of many who saw the same', async () => {
      const segment: Segment = {
        ...{ body: 'body', position: 0, scope: 'b', generation: 1, segment: 's', size: 5, k: 1, m: 1 },
        holders: ['p', 'q'],
        names: ['1'.repeat(32), '2'.repeat(32)],
        ...{
          epoch: 1,
          dataKey: Buffer.alloc(48, 1),
          integrityKey: Buffer.alloc(48, 2),
          commitment: Buffer.alloc(32, 3),
        },
      }
      await database.transact(() => insertSegment(segment))
      const moves = ['x', 'y', 'z'].map((provider) =>
        database.transact(() => replaceSegment(segment, { ...segment, holders: ['p', provider] })),
      )
      assert.equal((await Promise.all(moves)).filter(Boolean).length, 1)
      const [found] = await database.read(() => segmentsOf('body'))
      assert.equal(found?.generation, 2)
      assert.deepEqual([found?.names, Buffer.from(found?.dataKey ?? [])], [segment.names, segment.dataKey])
    })

    test('a reader goes on where it was, and never goes back', async () => {
      await database.transact(() => advanceCursor('reader', 9))
      await database.transact(() => advanceCursor('reader', 4))
      assert.equal(await database.read(() => readCursor('reader')), 9)
    })

    const clock = {
      now: () => Date.now(),
      after: (ms: number, act: () => void) => {
        const timer = setTimeout(act, ms)
        return () => clearTimeout(timer)
      },
    }
    const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
    const random = { bytes: (length: number) => randomBytes(length) }
    const ports = () => ({ database, clock, log: () => {}, random })
    const limits = { atOnce: 4, sliceMs: 20, leaseMs: 5000, lookMs: 10 }

    test('lasting work runs at one process at a time; who lost it cannot write', async () => {
      const fences: Fence[] = []
      let running = 0
      let most = 0
      const kind: JobKind = {
        name: 'suite',
        everyMs: 10,
        mend: '',
        async step(_, fence) {
          fences.push(fence)
          most = Math.max(most, ++running)
          await sleep(20)
          running--
          return { next: 'rest', says: 'a round' }
        },
      }
      const first = startWork(ports(), [kind], limits)
      const second = startWork(ports(), [kind], limits)
      for (let tries = 0; fences.length < 4 && tries < 200; tries++) await sleep(20)
      await Promise.all([first.stop(), second.stop()])
      assert.equal(most, 1)
      const old = fences[0] as Fence
      const latest = fences[fences.length - 1] as Fence
      assert.ok(latest.token > old.token)
      await assert.rejects(
        database.transact(() => checkFence(old)),
        { code: 'work.fenced' },
      )
    })

    test('jobs asked for in a transaction are done by several processes, each piece once; none is lost', async () => {
      const pieces = 5
      const kind: JobKind = {
        name: 'count',
        mend: '',
        step: async (job) =>
          function* () {
            yield* setValue(`job ${job.id}`, (yield* valueOf(`job ${job.id}`)) + 1)
            const done = job.done + 1
            return { next: done < pieces ? 'more' : 'done', done, total: pieces, says: `${done} of ${pieces}` }
          },
      }
      const ids = Array.from({ length: 24 }, () => newJobId({ clock, random }))
      await Promise.all(
        ids.map((id, at) =>
          database.transact(() =>
            enqueueJob({ id, kind: 'count', tenant: `t${at % 3}`, about: '', input: null, now: clock.now() }),
          ),
        ),
      )
      const refused = newJobId({ clock, random })
      await assert.rejects(
        database.transact(function* () {
          yield* enqueueJob({ id: refused, kind: 'count', tenant: 't0', about: '', input: null, now: clock.now() })
          throw new Error('whoever wanted it did not')
        }),
      )
      const processes = [1, 2, 3].map(() => startWork(ports(), [kind], limits))
      const call = (at: number) => ({
        actor: 'suite',
        tenant: `t${at % 3}`,
        signal: AbortSignal.timeout(60_000),
        trace: '',
      })
      const states = async () =>
        Promise.all(ids.map(async (id, at) => (await showJob({ database }, call(at), id)).state))
      for (let tries = 0; tries < 500 && (await states()).some((state) => state !== 'done'); tries++) await sleep(20)
      await Promise.all(processes.map((process) => process.stop()))
      assert.deepEqual(new Set(await states()), new Set(['done']))
      for (const id of ids) assert.equal(await database.read(() => valueOf(`job ${id}`)), pieces)
      await assert.rejects(showJob({ database }, call(0), refused), { code: 'job.missing' })
    })
  })
}
