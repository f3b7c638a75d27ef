/** Wishes are answered once on both databases. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  answerMigrations,
  claimAnswer,
  countAnswers,
  dropClaim,
  forgetAnswers,
  keepAnswer,
  once,
  openAnswer,
  renewClaim,
  sealAnswer,
} from '#journal'
import { type Database, sql } from '#kernel'
import { openPostgres } from '../../src/host/database/postgres.ts'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import { findPostgres, startPostgres } from '../tools/postgres.ts'

const key = new Uint8Array(32).fill(7)
const schemas = [
  { component: 'answers', migrations: answerMigrations },
  {
    component: 'things',
    migrations: [{ id: 1, name: 'things', statements: ['CREATE TABLE things (name {text} NOT NULL PRIMARY KEY)'] }],
  },
]
const claim = (wish: string, holder = 'h', now = 1000, request = 'r') =>
  claimAnswer({ wish, asker: 'a', request, holder, now, until: now + 100, expiresAt: now + 10_000 })

function suite(name: string, start: () => Promise<{ database: Database; close(): Promise<unknown> }>) {
  describe(`answers: ${name}`, () => {
    let opened: Awaited<ReturnType<typeof start>>
    before(async () => {
      opened = await start()
    })
    after(async () => {
      await opened.database.close()
      await opened.close()
    })
    const run: Database['transact'] = (body) => opened.database.transact(body)

    test('of many who claim a wish one gets it; who comes later is told how it stands', async () => {
      const claimed = await Promise.all(Array.from({ length: 24 }, (_, at) => run(() => claim('w1', `h${at}`))))
      assert.deepEqual(claimed.map(({ state }) => state).toSorted(), [
        ...Array.from({ length: 23 }, () => 'running'),
        'yours',
      ])
      assert.equal((await run(() => claim('w1', 'h', 1000, 'another'))).state, 'other')
      const holder = `h${claimed.findIndex(({ state }) => state === 'yours')}`
      assert.deepEqual(
        [await run(() => renewClaim('w1', holder, 1500)), await run(() => renewClaim('w1', 'no', 1500))],
        [true, false],
      )
      assert.deepEqual(await run(() => claim('w1', 'x', 1499)), { state: 'running', until: 1500 })
      assert.deepEqual(await run(() => claim('w1', 'x', 1500)), { state: 'yours', again: true })
      await run(() => keepAnswer('w1', holder, sealAnswer(key, 'too late')))
      assert.equal((await run(() => claim('w1', 'y', 1501))).state, 'running', 'who lost his claim answers nothing')
      await run(() => keepAnswer('w1', 'x', sealAnswer(key, 'done')))
      const answered = await run(() => claim('w1', 'y', 1502))
      assert.equal(answered.state === 'answered' && openAnswer(key, answered.answer), 'done')
    })

    test('what is done for a wish is done once, by however many at once, and its result comes again', async () => {
      const wish = { once: { id: 'w2', key } }
      await run(() => claim('w2'))
      const make = (of: string) =>
        run(() =>
          once(wish, 'make', function* () {
            yield sql`INSERT INTO things (name) VALUES (${of})`
            return { made: of }
          }),
        )
      const results = await Promise.all(Array.from({ length: 12 }, (_, at) => make(`thing ${at}`)))
      assert.equal(new Set(results.map(({ made }) => made)).size, 1)
      const things = await opened.database.read(function* () {
        return (yield sql`SELECT name FROM things`).map((row) => row.name)
      })
      assert.deepEqual(things, [results[0]?.made])
      await assert.rejects(
        run(() =>
          once(wish, 'other', function* () {
            yield sql`INSERT INTO things (name) VALUES ('never')`
            throw new Error('changed its mind')
          }),
        ),
        /mind/,
      )
      assert.equal(
        await run(() =>
          once(wish, 'other', function* () {
            return 2
          }),
        ),
        2,
        'a step that failed was not done',
      )
      await run(() => dropClaim('w2', 'h'))
      assert.deepEqual(await run(() => claim('w2', 'next')), { state: 'yours', again: true })
      assert.deepEqual(await make('one more'), results[0])
    })

    test('what is too old is forgotten with all that was done for it, a few at a time', async () => {
      for (const wish of ['w3', 'w4', 'w5']) await run(() => claim(wish, 'h', 50_000))
      assert.equal(await run(() => countAnswers('a', 4)), 4)
      assert.equal(await run(() => forgetAnswers(20_000, 1)), 1)
      assert.equal(await run(() => forgetAnswers(20_000, 10)), 1)
      assert.equal(await run(() => countAnswers('a', 100)), 3)
      const deeds = await opened.database.read(function* () {
        return (yield sql`SELECT wish FROM deeds`).map((row) => row.wish)
      })
      assert.deepEqual(deeds, [])
      assert.deepEqual(await run(() => claim('w3', 'x', 60_000, 'another')), { state: 'yours', again: false })
    })
  })
}

suite('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-answers-'))
  const database = await openSqlite({ file: join(folder, 'test.db'), schemas })
  return { database, close: () => rm(folder, { recursive: true }) }
})

if (findPostgres() === undefined) {
  test('answers: PostgreSQL', {
    skip: 'PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql',
  }, () => {})
} else {
  suite('PostgreSQL', async () => {
    const server = await startPostgres()
    return { database: await openPostgres({ url: server.url, schemas }), close: () => server.stop() }
  })
}
