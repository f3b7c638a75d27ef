import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as s3 from '@aws-sdk/client-s3'
import { type Pelago, startPelago } from './start-pelago.ts'

const Bucket = 'marker-bucket-zebra'
const Key = 'marker/object-giraffe.txt'
const content = 'marker content okapi'
const metadata = 'marker-metadata-quagga'
const metricsToken = 'marker-metrics-token-bongo'

describe('nothing that Pelago says about itself tells a secret or a name', () => {
  let pelago: Pelago
  let folder: string
  let collector: Server
  const traces: string[] = []

  before(async () => {
    collector = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => traces.push(chunk.toString()))
      request.on('end', () => response.writeHead(200).end('{}'))
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    folder = await mkdtemp(join(tmpdir(), 'pelago-secrets-'))
    await (await startPelago({ data: folder })).stop()
    await writeFile(join(folder, 'token'), metricsToken, { mode: 0o600 })
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    const observe = {
      traces: { endpoint, sample: 1, authorizationFile: join(folder, 'token') },
      metricsTokenFile: join(folder, 'token'),
    }
    await writeFile(join(folder, 'settings.json'), JSON.stringify({ observe }))
    pelago = await startPelago({ data: folder })
    await useEverything()
  })
  after(async () => {
    await pelago?.stop()
    await new Promise((resolve) => collector.close(resolve))
    await rm(folder, { recursive: true, force: true })
  })

  async function useEverything() {
    const [file, large] = [join(folder, 'file'), join(folder, 'large')]
    await writeFile(file, content)
    await writeFile(large, content.repeat(200_000))
    const commands: [words: string[], code: number][] = [
      [['bucket', 'create', Bucket], 0],
      [['bucket', 'list'], 0],
      [['bucket', 'policy', Bucket, '--json'], 0],
      [['bucket', 'set', Bucket, '--etags', 'md5'], 0],
      [['object', 'put', file, `s3://${Bucket}/${Key}`], 0],
      [['object', 'put', large, `s3://${Bucket}/${Key}.large`], 0],
      [['object', 'get', `s3://${Bucket}/${Key}`], 0],
      [['object', 'get', `s3://${Bucket}/${Key}.absent`], 1],
      [['object', 'list', `s3://${Bucket}/`], 0],
      [['object', 'where', `s3://${Bucket}/${Key}`], 0],
      [['provider', 'list'], 0],
      [['provider', 'stop', 'isar'], 0],
      [['status'], 1],
      [['doctor'], 0],
      [['log', 'list'], 0],
    ]
    for (const [words, code] of commands) {
      const answer = await pelago.cli(...words)
      if (words[0] !== 'doctor') assert.equal(answer.code, code, `${words.join(' ')}: ${answer.out}${answer.err}`)
    }
    const open = (secretAccessKey: string) =>
      new s3.S3Client({
        endpoint: pelago.s3,
        region: pelago.region,
        credentials: { accessKeyId: pelago.accessKeyId, secretAccessKey },
        forcePathStyle: true,
        maxAttempts: 1,
      })
    const client = open(pelago.secretAccessKey)
    const liar = open('marker-wrong-secret')
    await client.send(new s3.PutObjectCommand({ Bucket, Key, Body: content, Metadata: { kind: metadata } }))
    await assert.rejects(client.send(new s3.PutObjectCommand({ Bucket, Key, Body: content, IfNoneMatch: '*' })))
    await assert.rejects(liar.send(new s3.GetObjectCommand({ Bucket, Key })))
    await client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: `${Key}.large` }] } }))
    // With too few providers left a write fails on our side, which is what is logged.
    for (const name of ['alster', 'loire', 'vecht', 'saimaa']) await pelago.cli('provider', 'stop', name)
    await sleep(4000)
    await assert.rejects(client.send(new s3.PutObjectCommand({ Bucket, Key, Body: content })))
    await client.send(new s3.GetObjectCommand({ Bucket, Key: `${Key}.large` })).catch(() => 'it may be gone')
    for (const name of ['isar', 'alster', 'loire', 'vecht', 'saimaa']) await pelago.cli('provider', 'start', name)
    client.destroy()
    liar.destroy()
    await sleep(2500)
  }

  /** Everything that must be nowhere. */
  async function secrets(): Promise<string[]> {
    const access = JSON.parse(await readFile(join(folder, 'gateway', 'access.json'), 'utf8')) as {
      keys: { id: string; secret: string }[]
    }
    const root = JSON.parse(await readFile(join(folder, 'unwrap', 'root.key'), 'utf8')) as { keys: { key: string }[] }
    const files = [
      'api-token',
      'unwrap/key.pem',
      'gateway/key.pem',
      'federation/key.pem',
      'providers/isar/key.pem',
      ...['gateway/identity.pem', 'federation/authority-key.pem', 'providers/isar/identity.pem'],
    ]
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
    const lines = texts
      .flatMap((text) => text.split('\n'))
      .filter((line) => line.length > 20 && !line.startsWith('---'))
    assert.ok(lines.length >= 5)
    return [
      ...lines,
      ...root.keys.map(({ key }) => key),
      ...access.keys.flatMap(({ id, secret }) => [id, secret]),
      ...[Bucket, 'zebra', Key, 'giraffe', 'okapi', metadata, metricsToken, 'marker-wrong-secret'],
    ]
  }
  const told = async (what: string, text: string) => {
    assert.ok(text.length > 100, `${what} is empty`)
    for (const secret of await secrets()) assert.ok(!text.includes(secret), `${what} tells ${secret}`)
  }

  test('logs', async () => {
    const texts: string[] = []
    for (const file of await readdir(join(folder, 'log'))) texts.push(await readFile(join(folder, 'log', file), 'utf8'))
    const text = texts.join('\n')
    assert.match(text, /"s3\.failed"/, 'a failure of ours was provoked')
    assert.match(text, /"traceId":"[0-9a-f]{32}"/)
    await told('a log', text)
    for (const line of text.split('\n').filter((line) => line !== '')) {
      const { time, level, event } = JSON.parse(line) as Record<string, unknown>
      assert.ok(
        typeof time === 'string' && typeof event === 'string' && /^(info|warn|error)$/.test(String(level)),
        line,
      )
    }
  })

  test('metrics, which want their token', async () => {
    const { ports } = JSON.parse(await readFile(join(folder, 'ports.json'), 'utf8')) as {
      ports: Record<string, number>
    }
    const texts: string[] = []
    for (const [name, port] of Object.entries(ports)) {
      if (name.startsWith('s3') || name === 'supervisor') continue
      const url = `http://127.0.0.1:${port}/metrics`
      const apiToken = (await readFile(join(folder, 'api-token'), 'utf8')).trim()
      assert.equal((await fetch(url)).status, 401)
      assert.equal((await fetch(url, { headers: { authorization: `Bearer ${apiToken}` } })).status, 401)
      const answer = await fetch(url, { headers: { authorization: `Bearer ${metricsToken}` } })
      assert.equal(answer.status, 200)
      texts.push(await answer.text())
    }
    await told('a metric', texts.join('\n'))
  })

  test('traces', () => told('a trace', traces.join('\n')))

  test('the support bundle', async () => {
    const file = join(folder, 'bundle.json')
    const { code, err } = await pelago.cli('support', 'bundle', file)
    assert.equal(code, 0, err)
    assert.ok(existsSync(file))
    const text = await readFile(file, 'utf8')
    await told('the bundle', text)
    const bundle = JSON.parse(text) as Record<string, Record<string, unknown>>
    assert.deepEqual(Object.keys(bundle.logs ?? {}).length, 11)
    for (const part of [
      'versions',
      'machine',
      'configurations',
      'processes',
      'findings',
      'ready',
      'metrics',
      'settings',
    ])
      assert.ok(bundle[part], part)
    assert.match(String(bundle.metrics?.gateway), /pelago_s3_requests_total/)
    assert.match(JSON.stringify(bundle.logs), /s3\.failed/)
  })
})
