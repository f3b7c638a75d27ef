import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Database, Row, Statement } from '#kernel'
import { defaultLimits, keyMigrations, indexMigrations } from '#storage'
import { endpointMigrations } from '#endpoint'
import { workMigrations } from '#work'
import { openPostgres } from '../../src/host/database/postgres.ts'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import type { Ground } from '../../src/storage/ground.ts'
import { commitPack } from '../../src/storage/pack/commit-pack.ts'
import type { PackJob } from '../../src/storage/pack/job.ts'
import type { PackLayout } from '../../src/storage/pack/layout.ts'
import { openLeases } from '../../src/storage/quota/leases.ts'
import { planShards } from '../../src/storage/index/intents.store.ts'
import { checkCondition, findCurrent, putObjectRow } from '../../src/storage/index/objects.store.ts'
import { insertBucket } from '../../src/storage/index/buckets.store.ts'
import { insertLease, insertQuota } from '../../src/storage/index/quotas.store.ts'
import { insertPack } from '../../src/storage/index/packs.store.ts'
import { insertSegment } from '../../src/storage/index/segments.store.ts'
import { buryBody } from '../../src/storage/index/bodies.store.ts'
import { insertStray } from '../../src/storage/index/intents.store.ts'
import { insertUpload, putPartRow } from '../../src/storage/index/uploads.store.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../tools/postgres.ts'
import { bucket, calls, object, packClass, packed, segment, walked } from './store-calls.ts'
import { answerOf, type Step, statementsOf, uncalled } from './stores.suite.ts'

const root = join(import.meta.dirname, '..', '..')
const schemas = [
  { component: 'index', migrations: indexMigrations },
  { component: 'work', migrations: workMigrations },
  { component: 'keys', migrations: keyMigrations },
  { component: 'endpoint', migrations: endpointMigrations },
]
const missing = findPostgres() === undefined
const skip = missing && 'PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql'
const many = 3000

test('every operation of every store is called', async () => {
  assert.deepEqual(await uncalled(root, walked, calls), [])
})

describe('stores on both databases', { skip }, () => {
  let server: PostgresServer
  let folder: string
  const open: Database[] = []
  const both = async (name: string) => {
    const sqlite = await openSqlite({ file: join(folder, `${name}.db`), schemas })
    const postgres = await openPostgres({ url: server.url, namespace: name, schemas })
    open.push(sqlite, postgres)
    return { sqlite, postgres }
  }
  before(async () => {
    server = await startPostgres()
    folder = await mkdtemp(join(tmpdir(), 'pelago-stores-'))
  })
  after(async () => {
    for (const database of open) await database.close()
    await server?.stop()
    if (folder) await rm(folder, { recursive: true })
  })

  test('each operation answers the same', async () => {
    const { sqlite, postgres } = await both('same')
    for (const [at, call] of calls.entries()) {
      const [left, right] = [await answerOf(sqlite, call), await answerOf(postgres, call)]
      assert.deepEqual(right, left, `call ${at}, ${call.operation.name}`)
    }
  })

  test('what every request needs is found by an index', async () => {
    const { sqlite, postgres } = await both('plans')
    for (const database of [sqlite, postgres]) await fill(database)
    const scans: string[] = []
    for (const call of calls.filter(({ hot }) => hot)) {
      for (const statement of await statementsOf(sqlite, call)) {
        const rows = await ask(sqlite, explained('EXPLAIN QUERY PLAN ', statement))
        // Only what goes through a whole table: a search by an index says so.
        const whole = rows.map(({ detail }) => String(detail)).filter((detail) => /^SCAN (?!CONSTANT)/.test(detail))
        scans.push(...whole.map((detail) => `SQLite, ${call.operation.name}: ${detail}`))
      }
      for (const statement of await statementsOf(postgres, call)) {
        const rows = await ask(postgres, explained('EXPLAIN ', statement))
        const whole = rows.map((row) => String(row['QUERY PLAN'])).filter((line) => line.includes('Seq Scan'))
        scans.push(...whole.map((line) => `PostgreSQL, ${call.operation.name}: ${line.trim()}`))
      }
    }
    assert.deepEqual(scans, [])
  })

  test('of 32 who want to be the first with a key, one is, although a snapshot is all that they have', async () => {
    const { postgres } = await both('first')
    for (let round = 0; round < 5; round++) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 32 }, (_, at) =>
          postgres.transact(function* (): Step<void> {
            const current = yield* findCurrent('b', `key ${round}`)
            checkCondition(current, { ifNoneMatch: true }, 'b', 'key')
            yield* putObjectRow('b', object(`key ${round}`, `v${at}`), current, 1)
          }, 'snapshot'),
        ),
      )
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'object.precondition')
      }
    }
    assert.ok(
      Object.values(postgres.retries()).some((times) => times > 0),
      'they met',
    )
  })

  test('of packs that are committed at the same time with the same new key, one has it', async () => {
    const { postgres } = await both('packs')
    const other = await openPostgres({ url: server.url, namespace: 'packs', schemas })
    open.push(other)
    await postgres.transact(() => insertBucket(bucket))
    const ground = (index: Database) =>
      ({
        ...{
          index,
          limits: defaultLimits,
          clock: { now: () => Date.now() },
          leases: openLeases({ now: () => 0, after: () => () => {} }),
        },
      }) as unknown as Ground
    const commit = async (at: number, round: number) => {
      const index = at % 2 === 0 ? postgres : other
      const pack = `${round}-${at}`
      // Counted in rows of their own: one that all of them wrote would put them in order.
      const name = `${at.toString(16).padStart(4, '0')}${randomBytes(14).toString('hex')}`
      const written = { ...segment(pack), segment: name, scope: packClass.id, epoch: 0 }
      await index.transact(() => planShards(pack, Date.now() + 60_000, []))
      const layout = { places: [{ shard: 0, start: 0 }] } as unknown as PackLayout
      const job: PackJob = {
        ...{ sealed: new Uint8Array(10), size: 10, signal: new AbortController().signal },
        *decide() {
          const current = yield* findCurrent('b1', `round ${round}`)
          checkCondition(current, { ifNoneMatch: true }, 'b1', 'key')
          return function* (place) {
            const keys = { epoch: 1, dataKey: Buffer.alloc(48), commitment: Buffer.alloc(32) }
            yield* putObjectRow('b1', object(`round ${round}`, `v${at}`, { ...place, ...keys }), current, 1)
            return at
          }
        },
        *find() {},
      }
      const pending = { segment: written, judged: 1, layout, bytes: 10 }
      return commitPack(ground(index), packClass, pending, [job], function* () {}, undefined)
    }
    for (let round = 0; round < 6; round++) {
      const outcomes = (await Promise.all(Array.from({ length: 12 }, (_, at) => commit(at, round)))).flat()
      assert.equal(outcomes.filter((outcome) => 'value' in outcome).length, 1, `round ${round}`)
    }
  })
})

/** As many rows as make a planner choose. */
async function fill(database: Database): Promise<void> {
  const step = 250
  for (let from = 0; from < many; from += step) {
    await database.transact(function* (): Step<void> {
      for (let at = from; at < from + step; at++) {
        const pack = `fill-${at}`
        yield* insertPack({ id: pack, class: `c${at % 7}`, bytes: 1000, live: 900 })
        yield* insertBucket({ ...bucket, id: `bucket-${at}`, name: `name-${at}`, tenant: `t${at}` })
        yield* putObjectRow(`bucket-${at % 5}`, object(`k/${at}`, `v${at}`, packed(pack, 0)), undefined, 1)
        const holders = ['p', 'q', 'r'].map((letter, shard) => `${letter}${at + shard}`)
        yield* insertSegment({ ...segment(`body-${at}`), holders })
        yield* planShards(`intent-${at}`, 1_000_000 + at, [{ provider: 'p', name: `shard-${at}` }])
        yield* buryBody(`dead-${at}`, 1_000_000 + at)
        yield* insertStray('p', `stray-${at}`, 1_000_000 + at)
        yield* insertUpload(`bucket-${at % 5}`, { id: `u${at}`, key: `u/${at}`, createdAt: 1, headers: {} })
        const quota = {
          scope: `bucket/${at}`,
          tenant: `t${at}`,
          bucket: `${at}`,
          bytesLimit: 5,
          objectsLimit: 5,
          setAt: 1,
        }
        yield* insertQuota(quota)
        yield* insertLease({
          id: `lease-${at}`,
          scope: `bucket/${at % 900}`,
          bytes: 1,
          objects: 1,
          expiresAt: 1_000_000 + at,
        })
        yield* putPartRow(`u${at}`, { number: 1, body: `part-${at}`, size: 1, etag: 'e', modifiedAt: 1 }, undefined, 1)
      }
    })
  }
  await ask(database, { text: ['ANALYZE'], values: [] })
}

const ask = (database: Database, statement: Statement): Promise<Row[]> =>
  database.transact(function* (): Step<Row[]> {
    return yield statement
  })

function explained(word: string, { text, values }: Statement): Statement {
  const [first = '', ...rest] = text
  return { text: [word + first, ...rest], values }
}
