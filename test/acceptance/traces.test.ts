import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as s3 from '@aws-sdk/client-s3'
import { type Pelago, startPelago } from './start-pelago.ts'

type Attribute = { key: string; value: { stringValue?: string; intValue?: string } }
type Span = {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Attribute[]
  links?: { traceId: string; spanId: string }[]
}
type Export = {
  resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { scope: { name: string }; spans: Span[] }[] }[]
}

const Bucket = 'traced-bucket-name'
const mebibyte = 1024 * 1024

/** Spans as a tree of names, those of the same name counted. */
type Tree = { [name: string]: { count: number; below: Tree } }

describe('a request is traced from the S3 endpoint to the shards', () => {
  let collector: Server
  let pelago: Pelago
  let folder: string
  let client: s3.S3Client
  const bodies: string[] = []
  const spans = new Map<string, (Span & { service: string; instance: string })[]>()

  before(async () => {
    collector = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        assert.equal(request.url, '/v1/traces')
        assert.equal(request.headers['content-type'], 'application/json')
        take(Buffer.concat(chunks).toString())
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    folder = await mkdtemp(join(tmpdir(), 'pelago-traces-'))
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    const first = await startPelago({ data: folder })
    await first.stop()
    await writeFile(join(folder, 'settings.json'), JSON.stringify({ observe: { traces: { endpoint, sample: 1 } } }))
    pelago = await startPelago({ data: folder })
    client = openClient()
    await client.send(new s3.CreateBucketCommand({ Bucket }))
  })
  after(async () => {
    client?.destroy()
    await pelago?.stop()
    await new Promise((resolve) => collector.close(resolve))
    await rm(folder, { recursive: true, force: true })
  })

  const openClient = () => {
    const credentials = { accessKeyId: pelago.accessKeyId, secretAccessKey: pelago.secretAccessKey }
    return new s3.S3Client({ endpoint: pelago.s3, region: pelago.region, credentials, forcePathStyle: true })
  }

  function take(body: string) {
    bodies.push(body)
    for (const { resource, scopeSpans } of (JSON.parse(body) as Export).resourceSpans) {
      const told = (key: string) => resource.attributes.find((one) => one.key === key)?.value.stringValue ?? ''
      const [service, instance] = [told('service.name'), told('service.instance.id')]
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        const kept = spans.get(span.traceId) ?? []
        kept.push({ ...span, service, instance })
        spans.set(span.traceId, kept)
      }
    }
  }

  /** Asks with a trace of our own, and waits until it has come. */
  async function traced(name: string, act: (own: s3.S3Client) => Promise<unknown>) {
    const traceId = name.padEnd(32, '0')
    const own = openClient()
    own.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { headers: Record<string, string> }
        request.headers.traceparent = `00-${traceId}-00f067aa0ba902b7-01`
        return next(args)
      },
      { step: 'finalizeRequest', priority: 'low', name: 'trace' },
    )
    await act(own)
    own.destroy()
    for (let waited = 0; !spans.has(traceId) && waited < 100; waited++) await sleep(100)
    return spans.get(traceId) ?? []
  }

  function treeOf(of: Span[], parent: string): Tree {
    const tree: Tree = {}
    for (const name of new Set(of.filter((span) => span.parentSpanId === parent).map((span) => span.name))) {
      const same = of.filter((span) => span.parentSpanId === parent && span.name === name)
      tree[name] = {
        count: same.length,
        below: Object.assign({}, ...same.map(({ spanId }) => treeOf(of, spanId))) as Tree,
      }
    }
    return tree
  }

  const leaf = (count = 1) => ({ count, below: {} })

  test('PUT of an object that is written for itself', async () => {
    const found = await traced('a1', (own) =>
      own.send(new s3.PutObjectCommand({ Bucket, Key: 'secret-key-name', Body: Buffer.alloc(3 * mebibyte, 7) })),
    )
    assert.deepEqual(treeOf(found, '00f067aa0ba902b7'), {
      's3 PutObject': {
        count: 1,
        below: {
          'segment.write': { count: 1, below: { 'segment.encode': leaf(), 'shard.put': leaf(6) } },
          commit: leaf(),
        },
      },
    })
    const [root] = found.filter(({ name }) => name === 's3 PutObject')
    assert.equal(root?.kind, 2)
    for (const span of found) {
      const [from, to] = [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)]
      assert.ok(from <= to && from >= BigInt(root?.startTimeUnixNano ?? 0) && to <= BigInt(root?.endTimeUnixNano ?? 0))
    }
  })

  test('PUT of small objects: each trace tells the whole of the pack that several wait for', async () => {
    const traces = await Promise.all(
      ['b1', 'b2', 'b3', 'b4'].map((name) =>
        traced(name, (own) => own.send(new s3.PutObjectCommand({ Bucket, Key: name, Body: `small ${name}` }))),
      ),
    )
    for (const found of traces) {
      const { 's3 PutObject': put } = treeOf(found, '00f067aa0ba902b7')
      assert.deepEqual(put?.below['object.seal'], leaf())
      const pack = put?.below['pack.write']
      assert.equal(pack?.count, 1)
      assert.deepEqual(pack?.below.commit, leaf())
      assert.deepEqual(pack?.below['segment.write']?.below['segment.encode'], leaf())
      assert.ok((pack?.below['segment.write']?.below['shard.put']?.count ?? 0) >= 3)
    }
  })

  test('GET', async () => {
    const found = await traced('c1', async (own) => {
      const { Body } = await own.send(new s3.GetObjectCommand({ Bucket, Key: 'secret-key-name' }))
      assert.equal((await Body?.transformToByteArray())?.length, 3 * mebibyte)
    })
    const { 's3 GetObject': get } = treeOf(found, '00f067aa0ba902b7')
    assert.deepEqual(get?.below['index.read'], leaf())
    assert.ok((get?.below['shard.get']?.count ?? 0) >= 4)
    assert.deepEqual(Object.keys(get?.below ?? {}).sort(), ['index.read', 'shard.get'])
  })

  test('a provider is told numbers that it can link to nothing, and the gateway alone knows both', async () => {
    for (let waited = 0; waited < 50 && ![...spans.values()].flat().some(({ name }) => name === 'node.put'); waited++)
      await sleep(100)
    const all = [...spans.values()].flat()
    const asked = all.filter(({ name }) => name.startsWith('shard.'))
    const links = asked.map(({ links }) => links?.[0])
    assert.ok(links.length > 10)
    assert.equal(new Set(links.map((link) => link?.traceId)).size, new Set(asked.map(({ spanId }) => spanId)).size)
    const nodes = all.filter(({ service }) => service === 'pelago-provider')
    assert.ok(nodes.length > 0)
    const own = new Set(all.filter(({ service }) => service === 'pelago-gateway').map(({ traceId }) => traceId))
    for (const node of nodes) assert.ok(!own.has(node.traceId))
    const put = nodes.find((node) => links.some((link) => link?.traceId === node.traceId))
    const link = links.find((one) => one?.traceId === put?.traceId)
    assert.equal(put?.parentSpanId, link?.spanId)
  })

  test('no name of a bucket or object, and no key, is in a trace', async () => {
    const access = await readFile(join(folder, 'gateway', 'access.json'), 'utf8')
    const { keys } = JSON.parse(access) as { keys: { id: string; secret: string }[] }
    const told = bodies.join('\n')
    for (const word of [Bucket, 'secret-key-name', keys[0]?.id, keys[0]?.secret])
      assert.ok(!told.includes(word as string))
  })

  test('a collector that is gone costs a counter and nothing else', async () => {
    collector.closeAllConnections()
    await new Promise((resolve) => collector.close(resolve))
    for (let at = 0; at < 5; at++) await client.send(new s3.PutObjectCommand({ Bucket, Key: 'still', Body: 'there' }))
    const { Body } = await client.send(new s3.GetObjectCommand({ Bucket, Key: 'still' }))
    assert.equal(await Body?.transformToString(), 'there')
  })
})
