import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import {
  certificateId,
  certificateJob,
  certificateJobName,
  endpointMigrations,
  ensureOwn,
  judgeCertificate,
  openSealer,
  readShared,
} from '#endpoint'
import { journalMigrations } from '#journal'
import { type Row, type Statement, sql } from '#kernel'
import { workMigrations } from '#work'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import { openRandom } from '../../src/host/random.ts'
import { ensureLasting, takeJob } from '../../src/work/job.store.ts'
import { runJob } from '../../src/work/run-job.ts'
import { openVirtualClock } from '../tools/virtual-clock.ts'

const day = 24 * 60 * 60 * 1000
const wanted = { names: ['s3.example.org', '*.s3.example.org', '10.7.0.1'] }
const log = () => undefined

async function openHouse() {
  const clock = openVirtualClock()
  const random = openRandom()
  const schemas = [
    { component: 'work', migrations: workMigrations },
    { component: 'journal', migrations: journalMigrations },
    { component: 'endpoint', migrations: endpointMigrations },
  ]
  const database = await openSqlite({ file: ':memory:', schemas })
  const root = randomBytes(32)
  const ports = {
    ...{ clock, random, database, log, agent: 'test', journal: { nameKey: root } },
    sealer: await openSealer(async () => root, random),
    newKey: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    egress: async () => assert.fail('nobody is asked for what is made here'),
  }
  const turn = async () => {
    await database.transact(() => ensureLasting(certificateJobName, clock.now()))
    const taken = await database.transact(() => takeJob(certificateJobName, clock.now(), clock.now() + 1000))
    assert.ok(taken)
    const times = { leaseMs: 1000, sliceMs: 1000 }
    await runJob(ports, certificateJob(ports, wanted), taken, times, new AbortController().signal)
  }
  const shown = async () => (await readShared(ports, certificateId(wanted))).certificate
  return { ports, turn, shown }
}

test('two gateways that begin at once have one authority and one certificate, for every name and bucket', async () => {
  const { ports, shown } = await openHouse()
  const [one, other] = await Promise.all([ensureOwn(ports, wanted), ensureOwn(ports, wanted)])
  assert.equal(one, other)
  const certificate = await shown()
  assert.ok(certificate)
  const authority = new X509Certificate(one)
  const leaf = new X509Certificate(certificate.chain)
  assert.ok(leaf.checkIssued(authority) && leaf.verify(authority.publicKey))
  judgeCertificate(certificate, [...wanted.names, 'bucket.s3.example.org'], ports.clock.now())
  assert.throws(() => judgeCertificate(certificate, ['a.b.s3.example.org'], ports.clock.now()), {
    code: 'endpoint.uncovered',
  })
  const facts = await ports.database.read(function* (): Generator<Statement, Row[], Row[]> {
    return yield sql`SELECT body FROM log_pending`
  })
  assert.equal(facts.length, 1, 'it is in the log once')
})

test('it is renewed by itself under the same authority, with a third of its life left and not before', async () => {
  const { ports, shown, turn } = await openHouse()
  const authority = await ensureOwn(ports, wanted)
  const first = await shown()
  await turn()
  ports.clock.pass(54 * day)
  await turn()
  assert.deepEqual(await shown(), first)
  ports.clock.pass(7 * day)
  await turn()
  const second = await shown()
  assert.ok(second && second.chain !== first?.chain && second.key !== first?.key)
  assert.ok(new X509Certificate(second.chain).verify(new X509Certificate(authority).publicKey))
  judgeCertificate(second, wanted.names, ports.clock.now() + 80 * day)
  assert.equal(await ensureOwn(ports, wanted), authority)
})

test('with another key store than it was sealed by, it is not opened, and said so', async () => {
  const { ports } = await openHouse()
  await ensureOwn(ports, wanted)
  const sealer = await openSealer(async () => randomBytes(32), ports.random)
  const refused = { code: 'endpoint.damaged', message: /restored without its key store/ }
  await assert.rejects(ensureOwn({ ...ports, sealer }, wanted), refused)
  await assert.rejects(readShared({ ...ports, sealer }, certificateId(wanted)), refused)
})
