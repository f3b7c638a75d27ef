import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Database, hasCode, type Row, type Statement, sql } from '#kernel'
import { defaultPolicy } from '#pool'
import { defaultLimits, indexMigrations } from '#storage'
import { workMigrations } from '#work'
import { journalMigrations } from '#journal'
import { openPostgres } from '../../src/host/database/postgres.ts'
import type { Schema } from '../../src/host/database/schema.store.ts'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import type { Ground } from '../../src/storage/ground.ts'
import { holdBucket, insertBucket } from '../../src/storage/index/buckets.store.ts'
import { deleteObjectRow, findCurrent, putObjectRow } from '../../src/storage/index/objects.store.ts'
import type { Bucket } from '../../src/storage/object.ts'
import { account } from '../../src/storage/quota/account.ts'
import { deletion, objectChange } from '../../src/storage/quota/changes.ts'
import { countJob } from '../../src/storage/quota/count-job.ts'
import { openLeases } from '../../src/storage/quota/leases.ts'
import { bucketScope, tenantScope } from '../../src/storage/quota/scopes.ts'
import { setBucketQuota, setTenantQuota } from '../../src/storage/quota/set-quota.ts'
import { findPostgres, startPostgres } from '../tools/postgres.ts'
import { object } from './store-calls.ts'

type Step<T> = Generator<Statement, T, Row[]>

const schemas: Schema[] = [
  { component: 'index', migrations: indexMigrations },
  { component: 'work', migrations: workMigrations },
  { component: 'journal', migrations: journalMigrations },
]
const tenant = 't'
const buckets = ['a', 'b'].map(
  (letter): Bucket => ({
    ...{
      id: letter.repeat(32),
      name: letter,
      tenant,
      createdAt: 1,
      policyEpoch: 1,
      revision: 1,
      keyFloor: 0,
      quotas: 0,
    },
    ...{ etags: 'md5', policy: defaultPolicy },
  }),
)
const limits = { ...defaultLimits, leaseBytes: 800, leaseObjects: 3 }
const call = { tenant, actor: 'test', signal: new AbortController().signal, trace: 'test' }
const bytesLimit = 9000
const objectsLimit = 14

function quotaSuite(title: string, skip: string | false, start: () => Promise<Place>): void {
  describe(`quotas: ${title}`, { skip }, () => {
    let place: Place
    before(async () => {
      place = await start()
    })
    after(() => place?.close())

    test('several gateways that write and delete at once never exceed a quota, and use it to the last byte', async () => {
      const databases = await Promise.all([1, 2, 3].map(() => place.open()))
      const grounds = databases.map(groundOver)
      const [first] = grounds as [Ground, ...Ground[]]
      await first.index.transact(function* () {
        for (const bucket of buckets) {
          yield* insertBucket(bucket)
          for (let at = 0; at < 6; at++) yield* putObjectRow(bucket.id, sized(`k${at}`, 400), undefined, 1)
        }
      })
      let running = true
      const looks = lookOn(first.index, () => running)
      const [one] = buckets as [Bucket]
      const setting = (async () => {
        await setBucketQuota(first, call, { bucket: one.name, bytesLimit, objectsLimit: undefined })
        await setTenantQuota(first, call, { tenant, bytesLimit: 2 * bytesLimit, objectsLimit })
        for (const scope of [bucketScope(one.id), tenantScope(tenant)]) await countAll(first, scope)
      })()
      const lanes = grounds.flatMap((ground) => [1, 2].map(() => lane(ground, place.times)))
      await Promise.all([setting, ...lanes])
      running = false
      assert.ok((await looks) > 0)
      const left = await first.index.read(() => leftIn(one))
      // Others still hold leases of it.
      if (left.objects > 0) {
        assert.equal(await put(grounds[1] as Ground, one, 'last', left.bytes), 'stored')
        assert.equal(await put(grounds[2] as Ground, one, 'last but one', 1), 'quota.exceeded')
      } else assert.equal(await put(grounds[1] as Ground, one, 'last', 1), 'quota.exceeded')
      await first.index.read(() => check(new Set()))
      for (const database of databases) await database.close()
    })

    test('what goes out of a quota that became smaller than what is stored makes no room before it is small enough', async () => {
      const index = await place.open()
      const ground = groundOver(index)
      const bucket = { ...(buckets[0] as Bucket), id: 'c'.repeat(32), name: 'c', tenant: 'u' }
      await index.transact(() => insertBucket(bucket))
      const set = (bytes: number) =>
        setBucketQuota(ground, { ...call, tenant: 'u' }, { bucket: 'c', bytesLimit: bytes, objectsLimit: undefined })
      await set(5000)
      await countAll(ground, bucketScope(bucket.id))
      for (const key of ['x', 'y', 'z']) assert.equal(await put(ground, bucket, key, 1000), 'stored')
      await set(1500)
      await remove(ground, bucket, 'x')
      assert.equal(await put(ground, bucket, 'v', 1), 'quota.exceeded', '2000 of 1500')
      await remove(ground, bucket, 'y')
      assert.equal(await put(ground, bucket, 'v', 500), 'stored', '1000 of 1500')
      assert.equal(await put(ground, bucket, 'w', 1), 'quota.exceeded', '1500 of 1500')
      await index.close()
    })
  })
}

function groundOver(index: Database): Ground {
  const clock = { now: () => Date.now(), after: () => () => {} }
  const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) }
  const journal = { nameKey: Buffer.alloc(32, 7) }
  return { index, clock, random, journal, limits, leases: openLeases(clock), log: () => {} } as unknown as Ground
}

const sized = (key: string, size: number) => ({ ...object(key, randomBytes(16).toString('hex')), size })

async function lane(ground: Ground, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const bucket = buckets[Math.floor(Math.random() * buckets.length)] as Bucket
    const key = `k${Math.floor(Math.random() * 16)}`
    if (Math.random() < 0.35) await remove(ground, bucket, key)
    else await put(ground, bucket, key, Math.floor(Math.random() * 2000))
  }
}

async function put(ground: Ground, { name, tenant: of }: Bucket, key: string, size: number): Promise<string> {
  try {
    await account(
      ground,
      function* (ledger) {
        const bucket = yield* holdBucket(of, name)
        const current = yield* findCurrent(bucket.id, key)
        yield* ledger.add(bucket, [objectChange(bucket.id, { key, size }, current)])
        yield* putObjectRow(bucket.id, sized(key, size), current, 1)
      },
      'snapshot',
    )
    return 'stored'
  } catch (error) {
    if (!hasCode(error, 'quota.exceeded', 'database.busy')) throw error
    return error.code
  }
}

async function remove(ground: Ground, { name, tenant: of }: Bucket, key: string): Promise<void> {
  await account(
    ground,
    function* (ledger) {
      const bucket = yield* holdBucket(of, name)
      const current = yield* findCurrent(bucket.id, key)
      if (!current) return
      yield* ledger.add(bucket, [deletion(bucket.id, current)])
      yield* deleteObjectRow(bucket.id, current, 1)
    },
    'snapshot',
  )
}

/** What the work plane does with the job, until it is done. */
async function countAll(ground: Ground, scope: string): Promise<void> {
  for (let next = 'more'; next !== 'done'; ) {
    const job = { input: { scope } } as unknown as Parameters<typeof countJob.step>[0]
    const piece = await countJob.step(job, { job: 'j', token: 1 }, call.signal)
    assert.equal(typeof piece, 'function')
    if (typeof piece === 'function') next = (await ground.index.transact(piece)).next
  }
}

/** Looks again and again, on one state of the database each time. @returns how often */
async function lookOn(index: Database, goesOn: () => boolean): Promise<number> {
  let looks = 0
  const within = new Set<string>()
  for (; goesOn(); looks++) {
    await index.read(() => check(within))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return looks
}

function* storedIn(bucket: string | null): Step<{ bytes: number; objects: number }> {
  const [row] =
    bucket === null
      ? yield sql`SELECT COALESCE(SUM(size), 0) AS bytes, COUNT(*) AS objects FROM objects`
      : yield sql`SELECT COALESCE(SUM(size), 0) AS bytes, COUNT(*) AS objects FROM objects WHERE bucket = ${bucket}`
  return { bytes: Number(row?.bytes), objects: Number(row?.objects) }
}

/** @param within quotas that were kept before; what was stored before it was counted may be more than the limit */
function* check(within: Set<string>): Step<void> {
  for (const row of yield sql`SELECT * FROM quotas WHERE counted_to IS NULL`) {
    const stored = yield* storedIn(row.bucket as string | null)
    const [held] = yield sql`SELECT COALESCE(SUM(bytes), 0) AS bytes, COALESCE(SUM(objects), 0) AS objects,
      COALESCE(MIN(bytes), 0) AS least FROM quota_leases WHERE scope = ${row.scope as string}`
    assert.equal(Number(row.bytes) - Number(held?.bytes), stored.bytes, `bytes of ${row.scope as string}`)
    assert.equal(Number(row.objects) - Number(held?.objects), stored.objects, `objects of ${row.scope as string}`)
    assert.ok(Number(held?.least) >= 0)
    for (const what of ['bytes', 'objects'] as const) {
      const name = `${what} of ${row.scope as string}`
      const limit = row[`${what}_limit`]
      if (limit === null || stored[what] <= Number(limit)) within.add(name)
      else assert.ok(!within.has(name), `${stored[what]} ${name}, which may have ${String(limit)}`)
    }
  }
}

function* leftIn({ id }: Bucket): Step<{ bytes: number; objects: number }> {
  const [own, all] = [yield* storedIn(id), yield* storedIn(null)]
  const bytes = Math.min(bytesLimit - own.bytes, 2 * bytesLimit - all.bytes)
  return { bytes: Math.max(0, bytes), objects: Math.max(0, objectsLimit - all.objects) }
}

/** `times`: what one lane does; where databases meet they are slower. */
type Place = { times: number; open(): Promise<Database>; close(): Promise<unknown> }

quotaSuite('SQLite', false, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-quotas-'))
  return {
    times: 40,
    open: () => openSqlite({ file: join(folder, 'index.db'), schemas }),
    close: () => rm(folder, { recursive: true }),
  }
})
quotaSuite(
  'PostgreSQL',
  findPostgres() === undefined && 'PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql',
  async () => {
    const server = await startPostgres()
    return { times: 7, open: () => openPostgres({ url: server.url, schemas }), close: () => server.stop() }
  },
)
