import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { after, describe, test } from 'node:test'
import {
  type AcmeConfig,
  type Certificate,
  certificateId,
  certificateJob,
  certificateJobName,
  endpointMigrations,
  hastenCertificate,
  judgeCertificate,
  openSealer,
  readShared,
  type WantedCertificate,
} from '#endpoint'
import { journalMigrations } from '#journal'
import { type Database, type EgressFetch, sql } from '#kernel'
import { hastenJob, type Job, workMigrations } from '#work'
import { openHttpChallenge } from '../../src/host/certificates/http-challenge.ts'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import { openEgress } from '../../src/host/http/egress.ts'
import { openRandom } from '../../src/host/random.ts'
import { ensureLasting, getJob, takeJob } from '../../src/work/job.store.ts'
import { runJob } from '../../src/work/run-job.ts'
import { type AcmeOptions, type AcmeTestServer, startAcmeServer } from '../tools/acme-server.ts'
import { openVirtualClock, type VirtualClock } from '../tools/virtual-clock.ts'

const minute = 60_000
const day = 24 * 60 * minute
const names = ['s3.example.org', 'www.example.org']
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const quiet = () => undefined

/** A gateway's share of having a certificate, over time that a test moves on. */
type House = {
  server: AcmeTestServer
  clock: VirtualClock
  database: Database
  wanted: WantedCertificate
  lines: string[]
  /** What was asked of the authority, by path. */
  asked: string[]
  /** One turn of the job, if it is due. */
  turn(stop?: AbortSignal): Promise<void>
  /** Turns, with the pauses between them, until there is another certificate than `known`. @returns how long that took */
  until(done: (job: Job) => boolean | Promise<boolean>, most?: number): Promise<number>
  job(): Promise<Job>
  shared(): Promise<Awaited<ReturnType<typeof readShared>>>
  /** The same database with another configuration or another way out. */
  beside(changes: { config?: Partial<AcmeConfig>; egress?: EgressFetch }): Promise<House>
}

const closing: (() => Promise<unknown>)[] = []
after(async () => {
  for (const close of closing.reverse()) await close()
})

async function openHouse(options: Partial<AcmeOptions> = {}, config: Partial<AcmeConfig> = {}): Promise<House> {
  const clock = openVirtualClock(Date.now())
  const random = openRandom()
  const database = await openSqlite({
    file: ':memory:',
    schemas: [
      { component: 'work', migrations: workMigrations },
      { component: 'journal', migrations: journalMigrations },
      { component: 'endpoint', migrations: endpointMigrations },
    ],
  })
  const root = randomBytes(32)
  const sealer = await openSealer(async () => root, random)
  let answers: Awaited<ReturnType<typeof readShared>>['answers'] = []
  const listener = await openHttpChallenge(
    { host: '127.0.0.1', port: 0 },
    { answer: (token) => answers.find((one) => one.token === token), hostnames: names, port: 443 },
  )
  const server = await startAcmeServer({ httpPort: listener.port, tlsPort: () => 1, ...options })
  closing.push(
    () => server.close(),
    () => listener.close(),
    () => database.close(),
  )

  const open = async (settings: Partial<AcmeConfig>, egress: EgressFetch): Promise<House> => {
    const acme: AcmeConfig = {
      ...{ directory: server.directory, contact: ['ops@example.org'], termsAgreed: true, challenges: ['http-01'] },
      ...settings,
    }
    const wanted = { names, acme }
    const lines: string[] = []
    const asked: string[] = []
    const log = (_: string, event: string, facts: object = {}) => void lines.push(`${event} ${JSON.stringify(facts)}`)
    const through: EgressFetch = (request) => {
      asked.push(new URL(request.url).pathname)
      return egress(request)
    }
    const ports = {
      ...{ clock, random, database, sealer, newKey, log },
      journal: { nameKey: root },
      egress: through,
      agent: 'test',
    }
    const kind = certificateJob(ports, wanted)
    const shared = async () => {
      const found = await readShared(ports, certificateId(wanted))
      // As every gateway does, within seconds.
      answers = found.answers
      return found
    }
    const job = () => database.read(() => getJob('', certificateJobName))
    const turn = async (stop: AbortSignal = new AbortController().signal) => {
      await database.transact(() => ensureLasting(certificateJobName, clock.now()))
      const taken = await database.transact(() => takeJob(certificateJobName, clock.now(), clock.now() + minute))
      if (taken) await runJob({ database, clock, log: quiet }, kind, taken, { leaseMs: minute, sliceMs: minute }, stop)
      await shared()
    }
    return {
      ...{ server, clock, database, wanted, lines, asked, turn, job, shared },
      async until(done, most = 500) {
        const began = clock.now()
        for (let turns = 0; turns < most; turns++) {
          await turn()
          const now = await job()
          if (await done(now)) return clock.now() - began
          clock.pass(Math.max(now.dueAt - clock.now(), 0))
        }
        throw new Error(`it did not come to that: ${(await job()).says}; ${server.seen.slice(-6).join('; ')}`)
      },
      beside: (changes) => open({ ...settings, ...changes.config }, changes.egress ?? egress),
    }
  }
  return open(config, openEgress({ origins: [new URL(server.directory).origin] }))
}

const has = (house: House, other?: Certificate) => async () => {
  const { certificate } = await house.shared()
  return certificate !== undefined && certificate.chain !== other?.chain
}
const says = (text: string) => (job: Job) => job.says.includes(text)
const shownBy = async (house: House): Promise<Certificate> => {
  const { certificate } = await house.shared()
  assert.ok(certificate, (await house.job()).says)
  return certificate
}

describe('a certificate by ACME', () => {
  test('is ordered, proved for every name, and renewed with a third of its life left; all with one account', async () => {
    const house = await openHouse()
    const { clock, server } = house
    await house.until(has(house))
    const first = await shownBy(house)
    assert.deepEqual(judgeCertificate(first, names, clock.now()).names, names)
    const [leaf, issuer] = (first.chain.match(/-----BEGIN[^]*?END CERTIFICATE-----/g) ?? []).map(
      (pem) => new X509Certificate(pem),
    )
    assert.ok(leaf && issuer && leaf.checkIssued(issuer) && issuer.checkIssued(new X509Certificate(server.root)))
    assert.ok(leaf.checkPrivateKey(createPrivateKey(first.key)))
    assert.deepEqual(server.seen.slice(0, 2), ['account ["mailto:ops@example.org"]', `order ${names.join(' ')}`])
    assert.deepEqual(
      server.seen.filter((line) => line.startsWith('http-01')).sort(),
      names.map((name) => `http-01 ${name}: found`),
    )
    assert.deepEqual((await house.shared()).answers, [], 'nobody is told any more what nobody asks')

    // Ninety days less a third, and at the most a twentieth earlier.
    clock.pass(55 * day)
    await house.until(says('is renewed from'))
    assert.deepEqual(await shownBy(house), first)
    clock.pass(5 * day + 60 * minute)
    await house.until(has(house, first))
    const second = await shownBy(house)
    assert.notEqual(second.key, first.key, 'each certificate has a key of its own')
    assert.equal(server.orders.length, 2)
    assert.equal(new Set(server.orders.map(({ account }) => account)).size, 1)
  })

  test('whoever has the index alone finds no private key in it', async () => {
    const house = await openHouse()
    await house.until(has(house))
    const rows = await house.database.read(function* () {
      return [
        ...(yield sql`SELECT * FROM endpoint_certificates`),
        ...(yield sql`SELECT * FROM endpoint_accounts`),
        ...(yield sql`SELECT id, cursor FROM jobs`),
      ]
    })
    assert.equal(rows.length, 3)
    for (const row of rows)
      for (const value of Object.values(row)) {
        const text = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)
        assert.doesNotMatch(text, /PRIVATE|"d":/)
      }
  })

  test('a nonce that is not taken and an order that takes its time are nothing', async () => {
    const house = await openHouse()
    Object.assign(house.server.faults, { badNonces: 3, slow: 3 })
    await house.until(has(house))
    assert.equal((await house.job()).failures, 0)
    assert.equal(house.lines.length, 0)
    assert.equal(house.server.seen.filter((line) => line.includes('badNonce')).length, 3)
  })

  test('an authority that wants fewer requests is left alone for as long as it says', async () => {
    const house = await openHouse()
    Object.assign(house.server.faults, { limited: 1, limitedSeconds: 7200 })
    await house.until(says('wants fewer requests'))
    const { dueAt } = await house.job()
    assert.equal(dueAt - house.clock.now(), 7200 * 1000)
    assert.match((await house.shared()).trouble, /wants fewer requests: too many orders\. It is asked again after 20/)
    const before = house.asked.length
    house.clock.pass(7199 * 1000)
    await house.turn()
    assert.equal(house.asked.length, before, 'it was asked too early')
    await house.until(has(house))
    assert.equal((await house.shared()).trouble, '', 'what was wrong is over')
  })

  test('an order goes on where an authority that was down left it', async () => {
    const house = await openHouse()
    await house.until(says('learn what to answer'))
    house.server.faults.down = 3
    await house.until(says('503'))
    await house.until(has(house))
    assert.equal(house.server.orders.length, 1)
  })

  test('nobody who hastens the job has the authority look before every gateway has the answers', async () => {
    const house = await openHouse()
    await house.until(says('learn what to answer'))
    const { dueAt } = await house.job()
    await house.database.transact(() => hastenJob(certificateJobName, house.clock.now()))
    await house.turn()
    assert.equal((await house.job()).dueAt, dueAt)
    assert.ok(!house.asked.some((path) => path.startsWith('/challenge/')))
    await house.until(has(house))
  })

  test('a name that leads elsewhere is said with its reason, and tried again more and more seldom', async () => {
    const house = await openHouse()
    house.server.faults.unproved = true
    const pauses: number[] = []
    for (let failed = 0; failed < 8; failed++) {
      await house.until(says('could not find the answer'))
      const { dueAt, says: text } = await house.job()
      assert.match(text, /for s3\.example\.org by http-01: nothing was found\. Look at the DNS name.*port 80/)
      pauses.push((dueAt - house.clock.now()) / minute)
      house.clock.pass(dueAt - house.clock.now())
    }
    assert.deepEqual(pauses, [5, 10, 20, 40, 80, 160, 320, 640])
    assert.match(house.lines.at(-1) ?? '', /^certificate\.missed .*nothing was found/)
    house.server.faults.unproved = false
    await house.until(has(house))
  })

  test('what was issued for another key is not shown', async () => {
    const house = await openHouse()
    house.server.faults.foreign = true
    await house.until(says('not what was ordered'))
    assert.equal((await house.shared()).certificate, undefined)
    assert.match((await house.shared()).trouble, /private key does not belong/)
  })

  test('terms are accepted by the operator and nobody else', async () => {
    const house = await openHouse({}, { termsAgreed: false })
    await house.until(says('wants its terms accepted'))
    assert.deepEqual(house.server.seen, [])
    assert.match((await house.job()).says, /they are at http.*\/terms\./)
  })

  test('an authority that knows its customers is shown the key that it gave out', async () => {
    const binding = { keyId: 'customer-1', hmacKey: randomBytes(32) }
    const bound = await openHouse({ binding }, { externalAccount: binding })
    await bound.until(has(bound))
    assert.equal(bound.server.seen[0], 'binding')
    const unbound = await openHouse({ binding })
    await unbound.until(says('gives accounts only to those it knows'))
    const wrong = await openHouse({ binding }, { externalAccount: { ...binding, hmacKey: randomBytes(32) } })
    await wrong.until(says('the external account binding is wrong'))
  })

  test('renews within the window that the authority names, and says what is replaced', async () => {
    let window: { start: number; end: number } | undefined
    const house = await openHouse({
      renewal: () => window ?? { start: Date.now() + 60 * day, end: Date.now() + 61 * day },
    })
    await house.until(has(house))
    const first = await shownBy(house)
    await house.until(says('is renewed from'))
    const revokedSoon = house.clock.now()
    window = { start: revokedSoon - day, end: revokedSoon - 1 }
    const took = await house.until(has(house, first))
    assert.ok(took < 10 * minute, `${took} ms`)
    assert.match(house.server.orders[1]?.replaces ?? '', /^[\w-]+\.[\w-]+$/)
    assert.equal(house.server.orders[0]?.replaces, undefined)
  })

  test('an authority that offers no challenge that is answered here, and a profile that it does not have, are named', async () => {
    const house = await openHouse({ challenges: ['dns-01'] })
    await house.until(says('offers dns-01 for s3.example.org, and this gateway answers http-01'))
    const profiled = await openHouse({}, { profile: 'shortlived' })
    await profiled.until(says('has no profile shortlived; it has: none'))
  })

  test('what answers at the URL and is no directory is said so, and what it says steers no terminal', async () => {
    const house = await openHouse()
    const strange = await house.beside({
      egress: async () => ({ status: 200, headers: {}, body: Buffer.from('{"hello": 1}') }),
    })
    await strange.until(says('answers what RFC 8555 does not have: newNonce is missing'))
    const body = JSON.stringify({ type: 'x\u001b[2J', detail: 'red\u001b[31m\nline' })
    const rude = await house.beside({ egress: async () => ({ status: 400, headers: {}, body: Buffer.from(body) }) })
    house.clock.pass(60 * minute)
    await rude.until(says('refuses'))
    assert.match((await rude.job()).says, /refuses \(x \[2J\): red \[31m line\./)
  })

  test('another gateway goes on where one stopped in the middle; there is one order', async () => {
    const house = await openHouse()
    await house.until(says('learn what to answer'))
    // The one that held the job is gone; its lease has ended.
    const other = await house.beside({})
    await other.until(has(other))
    assert.equal(house.server.orders.length, 1)
    assert.equal((await shownBy(house)).chain, (await shownBy(other)).chain)
  })

  test('whoever loses the job in the middle writes no answers, and another one goes on', async () => {
    const house = await openHouse()
    let stolen = 0
    const late = await house.beside({
      async egress(request) {
        if (request.url.includes('/authorization/') && stolen++ === 0)
          await house.database.transact(function* () {
            yield sql`UPDATE jobs SET token = token + 1 WHERE id = ${certificateJobName}`
          })
        return openEgress({ origins: [new URL(request.url).origin] })(request)
      },
    })
    await late.turn()
    assert.ok(stolen > 0)
    assert.deepEqual((await house.shared()).answers, [])
    await house.until(has(house))
  })

  test('a changed configuration does not wait for the pause of the last one; the same one does', async () => {
    const house = await openHouse()
    house.server.faults.unproved = true
    await house.until(says('could not find the answer'))
    const { dueAt } = await house.job()
    await hastenCertificate(house, house.wanted)
    assert.equal((await house.job()).dueAt, dueAt)
    const other = await house.beside({ config: { profile: 'other' } })
    await hastenCertificate(other, other.wanted)
    assert.equal((await house.job()).dueAt, house.clock.now())
  })

  test('an account that the authority has forgotten is made anew', async () => {
    const house = await openHouse()
    await house.database.transact(function* () {
      yield sql`INSERT INTO endpoint_accounts (directory, url, sealed) VALUES ('', '', ${new Uint8Array()})`
    })
    await house.until(has(house))
    const first = await shownBy(house)
    await house.database.transact(function* () {
      yield sql`UPDATE endpoint_accounts SET url = 'http://127.0.0.1/account/gone' WHERE url <> ''`
    })
    house.clock.pass(61 * day)
    await house.until(has(house, first))
    assert.ok(house.server.seen.some((line) => line.includes('accountDoesNotExist')))
    assert.equal(house.server.orders.length, 2)
  })
})
