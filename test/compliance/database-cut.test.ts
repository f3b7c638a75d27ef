import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hasCode, type Row, type Statement, sql, noSpans } from '#kernel'
import { defaultPolicy } from '#pool'
import { defaultLimits, indexMigrations } from '#storage'
import { openPostgres, type PostgresDatabase } from '../../src/host/database/postgres.ts'
import type { Ground } from '../../src/storage/ground.ts'
import { insertBucket } from '../../src/storage/index/buckets.store.ts'
import { planShards } from '../../src/storage/index/intents.store.ts'
import type { Bucket } from '../../src/storage/object.ts'
import { commitBody } from '../../src/storage/write/commit-body.ts'
import { type Cut, type CuttingProxy, startCuttingProxy } from '../tools/cutting-proxy.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../tools/postgres.ts'

type Step<T> = Generator<Statement, T, Row[]>

const bucket: Bucket = {
  ...{
    id: 'b',
    name: 'bucket',
    tenant: 't',
    createdAt: 1,
    policyEpoch: 1,
    etags: 'md5',
    revision: 1,
    keyFloor: 0,
    quotas: 0,
  },
  policy: defaultPolicy,
}
const schemas = [
  { component: 'index', migrations: indexMigrations },
  {
    component: 'test',
    migrations: [
      {
        id: 1,
        name: 'one',
        statements: ['CREATE TABLE done (name {text} NOT NULL PRIMARY KEY, times {int} NOT NULL)'],
      },
    ],
  },
]

function* timesOf(name: string): Step<number> {
  const [row] = yield sql`SELECT times FROM done WHERE name = ${name}`
  return Number(row?.times ?? 0)
}

/** The connection breaks at each message that goes either way, from the first statement to the answer of the commit. */
describe('a connection that is cut', {
  skip: findPostgres() === undefined && 'PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql',
}, () => {
  let server: PostgresServer
  let proxy: CuttingProxy
  let straight: PostgresDatabase
  let cutoff: PostgresDatabase
  before(async () => {
    server = await startPostgres()
    proxy = await startCuttingProxy(server.port)
    straight = await openPostgres({ url: server.url, schemas })
    const url = server.url.replace(`:${server.port}/`, `:${proxy.port}/`)
    cutoff = await openPostgres({ url, schemas, connections: 1 })
    await straight.transact(() => insertBucket(bucket))
  })
  after(async () => {
    await cutoff?.close()
    await straight?.close()
    await proxy?.close()
    await server?.stop()
  })

  /** @returns what came of a commit during which this cut happened; undefined when it was over before */
  const commitDuring = async (cut: Cut) => {
    const name = `${cut.from} ${cut.message}`
    await straight.transact(() => planShards(name, Date.now() + 60_000, [{ provider: 'p', name: `${name} shard` }]))
    // The statements are prepared, or not, as it happens: both are walked through.
    if (cut.message % 2 === 0) await cutoff.read(() => timesOf(name))
    const ground = {
      spans: noSpans,
      ...{ index: cutoff, limits: defaultLimits, clock: { now: () => Date.now() }, log: () => {} },
      directory: () => ({ version: 1, issuedAt: 0, expiresAt: 1, providers: [] }),
    } as unknown as Ground
    const written = { body: name, size: 0, etag: '', segments: [] }
    const act = function* (): Step<string> {
      yield sql`INSERT INTO done (name, times) VALUES (${name}, 1) ON CONFLICT (name) DO UPDATE SET times = done.times + 1`
      return 'acted'
    }
    const find = function* (): Step<string | undefined> {
      return (yield* timesOf(name)) > 0 ? 'found' : undefined
    }
    proxy.arm(cut)
    let outcome: string
    try {
      outcome = await commitBody(ground, bucket, written, act, find, 'snapshot')
    } catch (error) {
      if (!hasCode(error, 'commit.lost')) throw error
      outcome = 'lost'
    }
    const happened = proxy.disarm()
    const times = await straight.read(() => timesOf(name))
    assert.equal(times, outcome === 'lost' ? 0 : 1, `${name}: ${outcome}, but done ${times} times`)
    return happened ? outcome : undefined
  }

  for (const from of ['client', 'server'] as const) {
    test(`at each message of the ${from}: what is said to be committed is, once; what is said to be lost is not`, async () => {
      const outcomes = new Map<string, number>()
      let message = 0
      for (; message < 200; message++) {
        const outcome = await commitDuring({ from, message })
        if (outcome === undefined) break
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      }
      assert.ok(message > 10 && message < 200, `${message} messages`)
      // Before the commit it is done again; after it, where nobody knows, the intent tells.
      assert.ok((outcomes.get('acted') ?? 0) > 3, JSON.stringify([...outcomes]))
      assert.ok((outcomes.get(from === 'server' ? 'found' : 'lost') ?? 0) > 0, JSON.stringify([...outcomes]))
    })
  }

  test('a server that is started anew is found again', async () => {
    server.kill()
    const waiting = straight.transact(function* () {
      yield sql`INSERT INTO done (name, times) VALUES ('after', 1)`
    })
    waiting.catch(() => 'awaited below')
    await new Promise((resolve) => setTimeout(resolve, 500))
    await server.start()
    await waiting
    assert.equal(await straight.read(() => timesOf('after')), 1)
  })
})
