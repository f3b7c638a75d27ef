import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { type LookupFunction } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { GetObjectCommand, PutObjectCommand, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { freePort } from '../../src/host/http/free-port.ts'
import { type AcmeTestServer, startAcmeServer } from '../tools/acme-server.ts'
import { digestOf, openOwnAuthority } from '../tools/own-authority.ts'
import { findPebble, pebbleMissing, startPebble } from '../tools/pebble.ts'
import { type Pelago, run, type StartOptions, startPelago } from './start-pelago.ts'

const name = 's3.example.org'
const limitMs = 60_000

/** A data folder with settings, as somebody leaves it who has stopped Pelago to change them. */
function folderWith(settings: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'pelago-'))
  writeFileSync(join(folder, 'pelago.json'), JSON.stringify({ version: 1, createdAt: 0 }))
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings))
  return folder
}
const startWith = (settings: object, options: StartOptions = {}) =>
  startPelago({ data: folderWith(settings), ...options })

/** Every name leads to this machine. */
const here: LookupFunction = (_, { all }, found) =>
  all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4)

/** The AWS SDK as it comes, told whom to trust. */
function clientOf(pelago: Pelago, ca: string, endpoint = pelago.s3, forcePathStyle = true): S3Client {
  return new S3Client({
    ...{ endpoint, region: pelago.region, credentials: pelago, forcePathStyle, maxAttempts: 1 },
    requestHandler: { httpsAgent: new Agent({ ca, lookup: here, keepAlive: true }), requestTimeout: 30_000 },
  })
}
async function roundTrip(client: S3Client, Bucket: string, Key: string): Promise<void> {
  const body = `the body of ${Key}`.repeat(500)
  await client.send(new PutObjectCommand({ Bucket, Key, Body: body }))
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
  assert.equal(await Body?.transformToString(), body)
}

/** What an endpoint shows. @returns its digest; undefined while no handshake succeeds */
async function shownAt(endpoint: string, ca: string): Promise<string | undefined> {
  const { hostname, port } = new URL(endpoint)
  const named = /^[\d.]+$/.test(hostname) ? {} : { servername: hostname }
  const socket = connect({ host: '127.0.0.1', port: Number(port), ca, ...named, timeout: 5000 })
  try {
    await once(socket, 'secureConnect')
    const found = socket.getPeerX509Certificate()
    return found && createHash('sha256').update(found.raw).digest('hex')
  } catch {
    // Which is what is waited for to end.
    return undefined
  } finally {
    socket.destroy()
  }
}

async function come<T>(about: () => Promise<T | undefined | false>, what: string): Promise<T> {
  const until = performance.now() + limitMs
  while (performance.now() < until) {
    const found = await about()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${what} did not come about`)
}

type Ready = { ready: boolean; checks: { name: string; state: string; says: string }[] }
async function readiness(pelago: Pelago): Promise<{ status: number; check: Ready['checks'][number] | undefined }> {
  const { ports } = JSON.parse(readFileSync(join(pelago.data, 'run.json'), 'utf8')) as { ports: { gateway: number } }
  const answer = await fetch(`http://127.0.0.1:${ports.gateway}/readyz`)
  const { checks } = (await answer.json()) as Ready
  return { status: answer.status, check: checks.find((one) => one.name === 's3-certificate') }
}
async function metric(pelago: Pelago, of: string): Promise<number> {
  const { ports } = JSON.parse(readFileSync(join(pelago.data, 'run.json'), 'utf8')) as { ports: { gateway: number } }
  const text = await (await fetch(`http://127.0.0.1:${ports.gateway}/metrics`)).text()
  return Number(new RegExp(`^${of} (\\S+)$`, 'm').exec(text)?.[1])
}

const entry = join(import.meta.dirname, '..', '..', 'bin', 'pelago.ts')
const pebble = findPebble()
const aws = spawnSync('aws', ['--version']).status === 0

describe('S3 over TLS', () => {
  const closing: (() => unknown)[] = []
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  test('ordered by ACME: one order for two gateways, any of which is asked; renewed while requests run', async () => {
    let asked = 0
    let endpoints: string[] = []
    let window = { start: Date.now() + 1e9, end: Date.now() + 2e9 }
    const authority: AcmeTestServer = await startAcmeServer({
      httpPort: 1,
      // Names lead to several machines; the authority takes any of them.
      tlsPort: () => Number(new URL(endpoints[asked++ % 2] ?? 'http://none:1').port),
      renewal: () => window,
    })
    closing.push(() => authority.close())
    const certificate = {
      ...{ kind: 'acme', directory: authority.directory, termsAgreed: true, challenges: ['tls-alpn-01'] },
      names: ['console.example.org'],
    }
    const words = ['--gateways', '2', '--separate-ports']
    // Until both gateways run, so that it may ask either.
    authority.faults.down = 1e9
    const started = await startWith({ hostnames: [name], certificate }, { words })
    closing.push(() => started.close())
    endpoints = started.endpoints
    const waiting = await readiness(started)
    assert.deepEqual([waiting.status, waiting.check?.state], [503, 'bad'])
    assert.match(waiting.check?.says ?? '', /no certificate yet/)
    authority.faults.down = 0
    const all = async (other?: string) => {
      const shown = await Promise.all(endpoints.map((endpoint) => shownAt(endpoint, authority.root)))
      const [first] = shown
      return first !== undefined && first !== other && shown.every((one) => one === first) && first
    }
    await started.cli('job', 'retry', 'endpoint.certificate')
    const first = await come(() => all(), 'a certificate at both gateways').catch((error: unknown) => {
      throw new Error(authority.seen.slice(-9).join('; '), { cause: error })
    })
    assert.deepEqual(
      authority.orders.map(({ names }) => names),
      [[name, 'console.example.org']],
      authority.seen.join('; '),
    )
    assert.equal(authority.seen.filter((line) => /^tls-alpn-01 .*: found$/.test(line)).length, 2)

    const clients = endpoints.map((endpoint) => clientOf(started, authority.root, endpoint))
    await clients[0]?.send(new CreateBucketCommand({ Bucket: 'secure' }))
    let [stop, done] = [false, 0]
    let failed: unknown[] = []
    const loads = clients.map(async (client, at) => {
      for (let turn = 0; !stop; turn++) {
        await roundTrip(client, 'secure', `${at}/${turn}`)
        done++
      }
    })
    try {
      window = { start: Date.now() - 2000, end: Date.now() - 1000 }
      await come(async () => {
        await started.cli('job', 'retry', 'endpoint.certificate')
        return authority.orders.length === 2
      }, 'another order')
      await come(() => all(first), 'the next certificate at both gateways').catch((error: unknown) => {
        throw new Error(authority.seen.slice(-9).join('; '), { cause: error })
      })
      const before = done
      await come(async () => done > before + 4, 'requests under the new certificate')
    } finally {
      stop = true
      failed = (await Promise.allSettled(loads)).flatMap((load) => (load.status === 'rejected' ? [load.reason] : []))
      for (const client of clients) client.destroy()
    }
    assert.deepEqual(failed, [], 'a request failed')
    assert.equal(authority.orders.length, 2)
    assert.ok(authority.orders[1]?.replaces)
    assert.equal((await readiness(started)).check?.state, 'good')
    const log = await started.cli('log', 'list', '--json')
    assert.equal(log.out.split('certificate.taken').length - 1, 2, log.err)
  })

  test('by the test authority of Let\u2019s Encrypt itself, with http-01', {
    skip: pebble === undefined && pebbleMissing,
  }, async () => {
    const port = await freePort('127.0.0.1', 22_000, new Set())
    const authority = await startPebble(pebble ?? '', { httpPort: port, tlsPort: 1 })
    closing.push(() => authority.close())
    const certificate = {
      ...{ kind: 'acme', directory: authority.directory, directoryCaFile: authority.caFile, termsAgreed: true },
      ...{ contact: ['storage@example.org'], http: { host: '127.0.0.1', port }, challenges: ['http-01'] },
    }
    const pelago = await startWith({ hostnames: [name, 'second.example.org'], certificate })
    closing.push(() => pelago.close())
    const root = await authority.root()
    await come(() => shownAt(pelago.s3, root), 'a certificate').catch(async (error: unknown) => {
      const { out } = await pelago.cli('job', 'show', 'endpoint.certificate')
      throw new Error(`${out}\n${authority.said().slice(-3000)}`, { cause: error })
    })
    const client = clientOf(pelago, root)
    await client.send(new CreateBucketCommand({ Bucket: 'pebble' }))
    await roundTrip(client, 'pebble', 'one')
    client.destroy()
  })

  test('given: taken anew from disk, refused when it is no good, and told when it has expired; then self-made', async () => {
    const authority = await openOwnAuthority()
    const folder = mkdtempSync(join(tmpdir(), 'pelago-given-'))
    closing.push(() => rmSync(folder, { recursive: true }))
    const files = { certificateFile: join(folder, 'chain.pem'), keyFile: join(folder, 'key.pem') }
    const put = async (names: string[], leftMs?: number) => {
      const { chain, key } = await authority.issue(names, leftMs)
      writeFileSync(files.certificateFile, chain)
      writeFileSync(files.keyFile, key)
      return digestOf(chain)
    }
    const first = await put([name, `*.${name}`])
    const pelago = await startWith({ hostnames: [name], certificate: { kind: 'given', ...files } })
    closing.push(() => rmSync(pelago.data, { recursive: true, force: true }))
    const shown = () => shownAt(pelago.s3, authority.root)
    try {
      assert.equal(await shown(), first)
      const client = clientOf(pelago, authority.root)
      await client.send(new CreateBucketCommand({ Bucket: 'given' }))
      const below = clientOf(pelago, authority.root, pelago.s3, false)
      await roundTrip(below, 'given', 'by-the-name-of-the-bucket')
      below.destroy()
      const file = join(folder, 'file')
      writeFileSync(file, 'by the command line')
      assert.equal((await pelago.cli('object', 'put', file, 's3://given/file')).code, 0)

      await put(['other.example.org'])
      await come(async () => (await readiness(pelago)).check?.state === 'warning', 'a warning')
      assert.match((await readiness(pelago)).check?.says ?? '', /but: The certificate is for other\.example\.org/)
      assert.equal(await metric(pelago, 'pelago_endpoint_certificate_trouble'), 1)
      assert.equal(await shown(), first)

      // One that ends while it is shown.
      const short = await put([name], 15_000)
      await come(async () => (await shown()) === short, 'the next certificate')
      await roundTrip(client, 'given', 'over a connection from before')
      const bad = await come(async () => {
        const found = await readiness(pelago)
        return found.status === 503 && found
      }, 'the end of the certificate')
      assert.match(bad.check?.says ?? '', /^it expired on/)
      assert.ok((await metric(pelago, 'pelago_endpoint_certificate_expires_seconds')) < Date.now() / 1000)
      const { out } = await pelago.cli('doctor')
      assert.match(out, /gateway s3-certificate: it expired on/)
      assert.match(out, /Put a new certificate into its files/)
      assert.equal(await shown(), undefined)

      const last = await put([name])
      await come(async () => (await shown()) === last, 'a good certificate')
      assert.equal((await readiness(pelago)).status, 200)
      await roundTrip(client, 'given', 'and on')
      client.destroy()
      await assert.rejects(fetch(pelago.s3.replace('https://s3.example.org', 'http://127.0.0.1')))
    } finally {
      await pelago.stop()
    }

    // What it would be on the network is refused before anything begins.
    const configuration = join(pelago.data, 'gateway', 'config.json')
    const { certificate, ...config } = JSON.parse(readFileSync(configuration, 'utf8')) as {
      s3: object
      certificate: object
    }
    const refusal = async (changes: object) => {
      const changed = join(folder, 'config.json')
      writeFileSync(changed, JSON.stringify({ ...config, ...changes }))
      const { code, err } = await run(process.execPath, [entry, 'run', '--config', changed])
      assert.equal(code, 1)
      return err
    }
    assert.match(await refusal({ s3: { ...config.s3, host: '0.0.0.0' } }), /would speak plain HTTP on 0\.0\.0\.0/)
    const wild = {
      s3: { ...config.s3, hostnames: ['*.example.org'] },
      certificate: { kind: 'acme', termsAgreed: true },
    }
    assert.match(await refusal(wild), /dns-01 only, which is not built/)
    await put([name], -1000)
    assert.match(await refusal({ certificate }), /expired on/)

    writeFileSync(join(pelago.data, 'settings.json'), JSON.stringify({ certificate: { kind: 'self-made' } }))
    const made = await startPelago({ data: pelago.data })
    closing.push(() => made.close())
    const trust = join(made.data, 'gateway', 's3-ca.pem')
    const client = clientOf(made, readFileSync(trust, 'utf8'))
    await roundTrip(client, 'given', 'self-made')
    client.destroy()
    if (!aws) return
    const { code, err } = await run(
      'aws',
      ['--endpoint-url', made.s3, '--ca-bundle', trust, 's3', 'ls', 's3://given'],
      {
        env: {
          ...process.env,
          ...{ AWS_ACCESS_KEY_ID: made.accessKeyId, AWS_SECRET_ACCESS_KEY: made.secretAccessKey },
          AWS_DEFAULT_REGION: made.region,
        },
      },
    )
    assert.equal(code, 0, err)
  })
})
