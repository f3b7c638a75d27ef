import assert from 'node:assert/strict'
import { createHash, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectPlainly } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type ConnectionOptions } from 'node:tls'
import * as s3 from '@aws-sdk/client-s3'
import { testAuthority } from '../tools/test-authority.ts'
import { type Pelago, startPelago } from './start-pelago.ts'

const Bucket = 'by-tls'
/** So long certificates are good here: they are renewed while the tests run. */
const certificateSeconds = 40
const provider = 'alster'

describe('TLS on every link between roles', () => {
  let pelago: Pelago
  let client: s3.S3Client
  let folder: string
  let ports: Record<string, number>
  const at = (...parts: string[]) => join(folder, ...parts)
  const text = (...parts: string[]) => readFileSync(at(...parts), 'utf8')

  const start = async () => {
    pelago = await startPelago({ data: folder, words: ['--tls'] })
    ;({ ports } = JSON.parse(text('ports.json')) as { ports: Record<string, number> })
    const credentials = { accessKeyId: pelago.accessKeyId, secretAccessKey: pelago.secretAccessKey }
    client = new s3.S3Client({ endpoint: pelago.s3, region: pelago.region, credentials, forcePathStyle: true })
  }
  const put = (Key: string, Body: Uint8Array) => client.send(new s3.PutObjectCommand({ Bucket, Key, Body }))
  const get = async (Key: string) => {
    const { Body } = await client.send(new s3.GetObjectCommand({ Bucket, Key }))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }
  const large = randomBytes(20 * 1024 * 1024)

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pelago-tls-'))
    await writeFile(at('settings.json'), JSON.stringify({ certificateSeconds }))
    // Whoever has begun a folder by hand has said that it is one.
    await writeFile(at('pelago.json'), JSON.stringify({ version: 1, createdAt: Date.now() }))
    await start()
    await client.send(new s3.CreateBucketCommand({ Bucket }))
  })
  after(async () => {
    client?.destroy()
    await pelago?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('objects go and come by it, large and small', async () => {
    await put('large', large)
    assert.ok((await get('large')).equals(large))
    await Promise.all(Array.from({ length: 8 }, (_, at) => put(`small-${at}`, Buffer.from(`number ${at}`))))
    for (let at = 0; at < 8; at++) assert.equal((await get(`small-${at}`)).toString(), `number ${at}`)
    const { providers } = (
      JSON.parse(text('gateway', 'directory.json')) as { directory: { providers: { endpoint: string }[] } }
    ).directory
    assert.ok(providers.every(({ endpoint }) => endpoint.startsWith('https://')))
    const { code, out } = await pelago.cli('doctor', '--json')
    assert.equal(code, 0, out)
  })

  test('a caller that is not an enrolled gateway of this federation is refused, and the log says why', async () => {
    const ca = text('federation', 'authority.pem')
    const own = { cert: text('gateway', 'certificate.pem'), key: text('gateway', 'identity.pem') }
    const foreign = await (await testAuthority()).issue('gateway', 'gateway')
    const other = {
      cert: text('providers', 'isar', 'certificate.pem'),
      key: text('providers', 'isar', 'identity.pem'),
    }
    const refused: [why: string, ConnectionOptions | 'plain'][] = [
      ['none', {}],
      ['authority', { cert: foreign.cert, key: foreign.key }],
      ['identity', other],
      ['version', { ...own, maxVersion: 'TLSv1.2' }],
      ['plain', 'plain'],
    ]
    for (const [why, options] of refused) {
      const heard = await ask(ports[provider] as number, options === 'plain' ? options : { ca, ...options })
      assert.doesNotMatch(heard, /HTTP\/1\.1 200/, why)
      await until(why, () => text('log', `${provider}.log`).includes(`"event":"tls.refused","why":"${why}"`))
    }
    // The same question is answered to the gateway, so it was refused for who asked.
    assert.match(await ask(ports[provider] as number, { ca, ...own }), /HTTP\/1\.1 200/)
  })

  test('certificates are renewed while an upload runs, and nothing is broken', async () => {
    const files = ['gateway', `providers/${provider}`, 'providers/isar'].map((name) => `${name}/certificate.pem`)
    const shown = () => files.map((file) => new X509Certificate(text(file)).serialNumber)
    const first = shown()
    let rounds = 0
    await until('all are renewed', async () => {
      await put(`round-${++rounds}`, large)
      return shown().every((serial, at) => serial !== first[at])
    })
    for (let round = 1; round <= rounds; round += 3) assert.ok((await get(`round-${round}`)).equals(large))
    assert.match(text('log', 'gateway.log'), /"event":"certificate.renewed"/)
  })

  test('a restart keeps keys and objects', async () => {
    const key = () =>
      createHash('sha256')
        .update(createPrivateKey(text('gateway', 'identity.pem')).export({ format: 'der', type: 'pkcs8' }))
        .digest('hex')
    const before = key()
    client.destroy()
    assert.equal(await pelago.stop(), 0)
    await start()
    assert.equal(key(), before)
    assert.ok((await get('large')).equals(large))
  })
})

/** What a provider answers to `/health`; nothing where it refuses the connection. */
async function ask(port: number, options: ConnectionOptions | 'plain'): Promise<string> {
  const socket =
    options === 'plain'
      ? connectPlainly(port, '127.0.0.1')
      : connect({ port, host: '127.0.0.1', ...options, checkServerIdentity: () => undefined })
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
  socket.on('error', () => 'what was heard counts')
  socket.write('GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const over = new Promise((resolve) => socket.once('close', resolve))
  await Promise.race([over, once(socket, 'end').catch(() => 'refused')])
  return heard
}

/** @param act tried until it is true, for two minutes */
async function until(what: string, act: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000
  while (!(await act())) {
    assert.ok(Date.now() < end, `it did not come to this: ${what}`)
    await sleep(50)
  }
}
