import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as s3 from '@aws-sdk/client-s3'
import { signRequest } from '../../src/client/index.ts'
import { secondKey } from './second-key.ts'
import { startPelago } from './start-pelago.ts'

const mebibyte = 1024 * 1024
const Bucket = 'memory'

test('large bodies that drip hold their share of the memory, and another key writes on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-memory-'))
  const pelago = await startPelago({ data: folder })
  await pelago.cli('bucket', 'create', Bucket)
  const second = await secondKey(pelago)
  const dripping: Socket[] = []
  const client = new s3.S3Client({
    endpoint: pelago.s3,
    region: pelago.region,
    credentials: { accessKeyId: second.id, secretAccessKey: second.secret },
    forcePathStyle: true,
    maxAttempts: 1,
  })
  try {
    const flood = { id: pelago.accessKeyId, secret: pelago.secretAccessKey }
    for (let at = 0; at < 40; at++) {
      const url = new URL(`/${Bucket}/drip-${at}`, pelago.s3)
      const headers = { 'content-length': String(32 * mebibyte) }
      const signed = signRequest({ method: 'PUT', url, headers }, flood, pelago.region, 'UNSIGNED-PAYLOAD', Date.now())
      const socket = connect(Number(url.port), url.hostname)
      socket.on('error', () => 'it may be cut at the end')
      dripping.push(socket)
      await once(socket, 'connect')
      const lines = Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(`PUT ${url.pathname} HTTP/1.1\r\n${lines.join('')}\r\n${'d'.repeat(1000)}`)
    }
    await sleep(1000)
    const { ports } = JSON.parse(await readFile(join(folder, 'ports.json'), 'utf8')) as {
      ports: Record<string, number>
    }
    const metrics = await (await fetch(`http://127.0.0.1:${ports.gateway}/metrics`)).text()
    const used = Number(/^pelago_memory_used_bytes\{budget="writes"\} (\d+)/m.exec(metrics)?.[1])
    assert.equal(used, 7 * 32 * mebibyte, 'seven segments of eight are held by the flood')
    for (let at = 0; at < 3; at++) {
      const began = performance.now()
      await client.send(new s3.PutObjectCommand({ Bucket, Key: `large-${at}`, Body: Buffer.alloc(3 * mebibyte, at) }))
      await client.send(new s3.PutObjectCommand({ Bucket, Key: `small-${at}`, Body: 'small' }))
      assert.ok(performance.now() - began < 10_000, 'it did not wait for the flood')
    }
  } finally {
    for (const socket of dripping) socket.destroy()
    client.destroy()
    await pelago.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
