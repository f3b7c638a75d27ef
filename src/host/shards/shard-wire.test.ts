import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { openNode, openBodyTag, requestMs, signedHeaders, signShardRequest } from '#storage'
import { openMemoryDisk } from '../../../sim/ports/disk.ts'
import { systemClock } from '../clock.ts'
import { openRandom } from '../random.ts'
import { openShardStore } from './shard-client.ts'
import { openShardServer } from './shard-server.ts'

const random = openRandom()
const shared = new Uint8Array(32).fill(7)
const never = new AbortController().signal
const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})
const nameOf = () => Buffer.from(random.bytes(16)).toString('hex')

function storeAt(port: number, { key = shared, gateway = 'g', skewMs = 0 } = {}) {
  const provider = { id: 'p', endpoint: `http://127.0.0.1:${port}` }
  const clock = { ...systemClock, now: () => systemClock.now() + skewMs }
  const store = openShardStore({ clock, random }, provider, { gateway, shared: key })
  closing.unshift(() => store.close())
  return store
}

async function openProvider(quotaBytes = 64 * 1024 * 1024) {
  const disk = openMemoryDisk({ clock: systemClock, random })
  const config = { provider: 'p', quotaBytes, trashMs: 1e9, reserveBytes: 0, shortBytes: 0, bundleBytes: 4096 }
  const log: string[] = []
  const ports = { clock: systemClock, random, log: (_: string, event: string) => void log.push(event) }
  const node = await openNode({ ...ports, disk: disk.connect() }, config)
  const gateways = new Map([['g', { shared, pin: undefined as string | undefined }]])
  const server = await openShardServer({ ...ports, node, gateways, provider: 'p' }, { host: '127.0.0.1', port: 0 })
  closing.push(() => server.close())
  return { disk, node, server, log, gateways, store: storeAt(server.port) }
}

/** Something that speaks as it likes. */
async function openLiar(speak: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => 'the other side hangs up'))
    speak(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return storeAt((server.address() as AddressInfo).port)
}

const answering = (head: string, body: string) => (socket: Socket) => {
  socket.once('data', () => socket.write(`HTTP/1.1 ${head}\r\n\r\n${body}`))
}
const json = (body: string) => answering(`200 OK\r\ncontent-length: ${body.length}`, body)

async function put(store: ReturnType<typeof storeAt>, name: string, length: number, pieces = 1, signal = never) {
  const writer = store.create(name, length, signal)
  for (let piece = 0; piece < pieces; piece++) await writer.write(Buffer.alloc(length / pieces, piece + 1))
  await writer.finish()
}

test('a refusal in the middle of a long body reaches the sender as what it is', async () => {
  const { store, node } = await openProvider(10_000_000)
  for (let round = 0; round < 20; round++) {
    await assert.rejects(put(store, nameOf(), 12_000_000, 100), { code: 'shard.full' })
  }
  const taken = nameOf()
  await put(store, taken, 10)
  await assert.rejects(put(store, taken, 5_000_000, 50), { code: 'shard.exists' })
  // The disk has less room than it says, so that it fills up while the body comes.
  const small = await openProvider()
  for (let round = 0; round < 10; round++) {
    const writer = small.store.create(nameOf(), 5_000_000, never)
    await writer.write(Buffer.alloc(1000))
    while (small.node.status().usedBytes === 0) await new Promise((wake) => setImmediate(wake))
    small.disk.faults.capacityBytes = 1_000_000
    const rest = async () => {
      for (let piece = 0; piece < 49; piece++) await writer.write(Buffer.alloc(100_000))
      await writer.write(Buffer.alloc(99_000))
      await writer.finish()
    }
    await assert.rejects(rest(), { code: 'shard.full' })
    small.disk.faults.capacityBytes = Number.POSITIVE_INFINITY
    while (small.node.status().usedBytes > 0) await new Promise((wake) => setImmediate(wake))
  }
  assert.deepEqual([...small.disk.files().keys()], [])
  assert.equal(node.status().shards, 1)
})

test('who is not enrolled, signs wrongly or has another time is told so', async () => {
  const { server, log } = await openProvider()
  const denied = (reason: RegExp) => (error: { code: string; message: string }) =>
    error.code === 'shard.denied' && reason.test(error.message)
  await assert.rejects(storeAt(server.port, { gateway: 'h' }).status(never), denied(/no gateway h is enrolled/))
  await assert.rejects(storeAt(server.port, { key: new Uint8Array(32) }).status(never), denied(/signature is wrong/))
  const [slow, fast] = [{ skewMs: -2 * requestMs }, { skewMs: 2 * requestMs }]
  await assert.rejects(storeAt(server.port, slow).status(never), denied(/expired/))
  await assert.rejects(put(storeAt(server.port, fast), nameOf(), 1_000_000, 10), denied(/too long/))
  assert.ok(log.includes('shard.denied'))
})

test('what a gateway has under way ends when it is revoked, and stores nothing; others go on', async () => {
  const { server, store, node, gateways } = await openProvider()
  gateways.set('h', { shared, pin: undefined })
  const other = storeAt(server.port, { gateway: 'h' })
  const [mine, theirs] = [store.create(nameOf(), 1_000_000, never), other.create(nameOf(), 1_000_000, never)]
  await mine.write(Buffer.alloc(500_000))
  await theirs.write(Buffer.alloc(500_000))
  while (node.status().usedBytes < 2_000_000) await new Promise((wake) => setImmediate(wake))
  gateways.delete('g')
  assert.equal(server.endGateway('g'), 1)
  const rest = async () => {
    await mine.write(Buffer.alloc(500_000))
    await mine.finish()
  }
  await assert.rejects(rest(), (error: { code: string }) => /^shard\.(unreachable|uncertain)$/.test(error.code))
  await assert.rejects(store.status(never), { code: 'shard.denied' })
  await theirs.write(Buffer.alloc(500_000))
  await theirs.finish()
  assert.equal(node.status().shards, 1)
})

/** A request by hand; answers with the status. */
async function send(port: number, method: string, target: string, body: Uint8Array, headers: Record<string, string>) {
  const request = httpRequest({ host: '127.0.0.1', port, method, path: target, headers })
  request.end(body)
  const [response] = (await once(request, 'response')) as [{ statusCode: number; resume(): void }]
  response.resume()
  return response.statusCode
}

function signed(method: string, target: string, length: number) {
  const nonce = nameOf()
  const expires = systemClock.now() + requestMs
  const signature = signShardRequest(shared, { method, target, length, expires, nonce, gateway: 'g' })
  return {
    nonce,
    headers: {
      'content-length': `${length}`,
      [signedHeaders.gateway]: 'g',
      [signedHeaders.expires]: `${expires}`,
      [signedHeaders.nonce]: nonce,
      [signedHeaders.signature]: signature,
    },
  }
}

// The lengths are those that fill the memory of a short shard with its tag, and one more: that one is taken in piece by piece.
for (const length of [1000, 64 * 1024 - 16, 64 * 1024 - 15]) {
  test(`a body of ${length} bytes that was changed on its way is not stored; played again, it does nothing`, () =>
    changeBody(length))
}

async function changeBody(length: number): Promise<void> {
  const { server, node } = await openProvider()
  const target = `/v1/shards/${nameOf()}`
  const body = Buffer.alloc(length + 16, 9)
  const { nonce, headers } = signed('PUT', target, body.length)
  const tag = openBodyTag(shared, nonce)
  tag.update(body.subarray(0, length))
  Buffer.from(tag.digest()).copy(body, length)
  for (const at of [0, length - 1, length, length + 15]) {
    const bent = Buffer.from(body)
    bent[at] = (bent[at] as number) ^ 1
    assert.equal(await send(server.port, 'PUT', target, bent, headers), 403)
    assert.equal(node.status().usedBytes, 0)
  }
  assert.equal(await send(server.port, 'PUT', `/v1/shards/${nameOf()}`, body, headers), 403)
  assert.equal(await send(server.port, 'PUT', target, body, headers), 201)
  assert.equal(await send(server.port, 'PUT', target, body, headers), 409)
  assert.equal(node.status().shards, 1)

  const remove = signed('DELETE', target, 0)
  assert.equal(await send(server.port, 'DELETE', target, Buffer.alloc(0), remove.headers), 200)
  assert.equal(await send(server.port, 'DELETE', target, Buffer.alloc(0), remove.headers), 403)
}

test('what is no request of the protocol is refused without harm', async () => {
  const { server, node } = await openProvider()
  const none = Buffer.alloc(0)
  assert.equal(await send(server.port, 'GET', '/health', none, {}), 200)
  assert.equal(await send(server.port, 'GET', '/v1/status', none, {}), 403)
  assert.equal(await send(server.port, 'GET', '//', none, {}), 403)
  const ask = (method: string, target: string) =>
    send(server.port, method, target, none, signed(method, target, 0).headers)
  for (const [method, target, status] of [
    ['GET', '/v1/shards/../../etc/passwd?offset=0&length=1', 404],
    ['GET', `/v1/shards/${'A'.repeat(32)}?offset=0&length=1`, 404],
    ['GET', `/v1/shards/${nameOf()}?offset=-1&length=1`, 403],
    ['GET', `/v1/shards/${nameOf()}?offset=0&length=1e1`, 403],
    ['GET', `/v1/shards/${nameOf()}?offset=0&length=99999999999`, 403],
    ['GET', `/v1/shards/${nameOf()}?offset=0`, 403],
    ['PUT', `/v1/shards/${nameOf()}`, 403],
    ['PUT', '/v1/shards/short', 403],
    ['POST', '/v1/shards', 404],
    ['GET', '/v2/status', 404],
    ['GET', '/v1/status/more/path', 404],
  ] as const) {
    assert.equal(await ask(method, target), status, `${method} ${target}`)
  }
  assert.equal(node.status().usedBytes, 0)
})

test('long reads come whole and byte-exact, also many at once', async () => {
  const { store } = await openProvider()
  const name = nameOf()
  const length = 3_000_000
  await put(store, name, length, 30)
  const whole = Buffer.concat(Array.from({ length: 30 }, (_, piece) => Buffer.alloc(length / 30, piece + 1)))
  await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const [offset, size] = [at * 777, length - at * 2 * 777]
      const bytes = Buffer.from(await store.read(name, offset, size, never))
      assert.ok(bytes.equals(whole.subarray(offset, offset + size)))
    }),
  )
  await assert.rejects(store.read(name, 1, length, never), { code: 'shard.corrupt' })
})

test('a sender that leaves in the middle leaves nothing behind', async () => {
  const { store, node, disk } = await openProvider()
  for (const [length, sent] of [
    [2_000_000, 700_000],
    [60_000, 20_000],
    [60_000, 50_000],
  ] as const) {
    const writers = Array.from({ length: 10 }, () => store.create(nameOf(), length, never))
    await Promise.all(writers.map((writer) => writer.write(Buffer.alloc(sent))))
    for (const writer of writers) writer.abort()
    for (let wait = 0; wait < 200 && node.status().usedBytes > 0; wait++)
      await new Promise((wake) => setTimeout(wake, 5))
    assert.equal(node.status().usedBytes, 0)
    assert.deepEqual([...disk.files().keys()], [])
  }
})

test('unreachable when nothing can have been stored, uncertain when a whole shard was sent', async () => {
  await assert.rejects(storeAt(1).status(never), { code: 'shard.unreachable' })
  await assert.rejects(put(storeAt(1), nameOf(), 10), { code: 'shard.unreachable' })
  const early = await openLiar((socket) => socket.once('data', () => socket.destroy()))
  await assert.rejects(put(early, nameOf(), 50_000_000, 100), { code: 'shard.unreachable' })
  await assert.rejects(early.read(nameOf(), 0, 1, never), { code: 'shard.unreachable' })
  const late = await openLiar((socket) => {
    let got = 0
    socket.on('data', (chunk) => {
      got += chunk.length
      if (got > 1_000_000) socket.destroy()
    })
  })
  await assert.rejects(put(late, nameOf(), 1_000_000), { code: 'shard.uncertain' })
  const failing = await openLiar(answering('500 Oh\r\ncontent-length: 16', '{"message":"oh"} '))
  await assert.rejects(put(failing, nameOf(), 10), { code: 'shard.uncertain' })
  await assert.rejects(failing.status(never), { code: 'shard.unreachable' })
})

test('a provider that answers 201 before it has the bytes is not believed', { timeout: 5000 }, async () => {
  const store = await openLiar(answering('201 Created\r\ncontent-length: 2', '{}'))
  await assert.rejects(put(store, nameOf(), 20_000_000, 10), { code: 'shard.uncertain' })
})

test('answers that are not what was asked for are not believed', { timeout: 10_000 }, async () => {
  const read = (speak: (socket: Socket) => void) => openLiar(speak).then((store) => store.read(nameOf(), 0, 10, never))
  await assert.rejects(read(json('short')), { code: 'shard.corrupt' })
  await assert.rejects(read(json('longer than ten bytes')), { code: 'shard.corrupt' })
  const cut = (socket: Socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\ncut'))
  await assert.rejects(read(cut), { code: 'shard.unreachable' })
})

test('whoever waits for a provider can stop waiting at any step', { timeout: 5000 }, async () => {
  const silent = await openLiar((socket) => socket.resume())
  const half = await openLiar(answering('200 OK\r\ncontent-length: 10', 'half'))
  const deaf = await openLiar((socket) => socket.pause())
  const stops: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => silent.status(signal),
    (signal) => half.read(nameOf(), 0, 10, signal),
    (signal) => put(silent, nameOf(), 1000, 1, signal),
    (signal) => put(deaf, nameOf(), 50_000_000, 50, signal),
  ]
  for (const stop of stops) {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 50)
    await assert.rejects(stop(controller.signal), { message: 'enough' })
  }
})

test('what a strange provider says about itself is looked at before it is used', { timeout: 5000 }, async () => {
  const from = (body: string) => openLiar(json(body))
  const strange = { code: 'shard.unreachable' }
  const [low, high] = ['0'.repeat(32), 'f'.repeat(32)]
  await assert.rejects((await from('no JSON')).status(never), strange)
  await assert.rejects((await from('null')).status(never), strange)
  await assert.rejects((await from('{"usedBytes":"1"}')).status(never), strange)
  await assert.rejects((await from(`["${high}","${low}"]`)).list('', 10, never), strange)
  await assert.rejects((await from(`["${low}"]`)).list(high, 10, never), strange)
  await assert.rejects((await from('["../x"]')).list('', 10, never), strange)
  await assert.rejects((await from('{}')).list('', 10, never), strange)
  assert.deepEqual(await (await from(`["${low}","${high}"]`)).list('', 10, never), [low, high])
  const endless = await openLiar((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const flood = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 120)));
      }
      socket.on('drain', flood)
      flood()
    })
  })
  await assert.rejects(endless.status(never), strange)
  await assert.rejects(endless.read(nameOf(), 0, 10, never), { code: 'shard.corrupt' })
})

test('a connection that the provider closed while it rested is no failure', async () => {
  let requests = 0
  const store = await openLiar((socket) => {
    let here = 0
    socket.on('data', () => {
      requests++
      if (here++ > 0) socket.resetAndDestroy()
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]')
    })
  })
  for (let round = 0; round < 5; round++) assert.deepEqual(await store.list('', 1, never), [])
  assert.ok(requests > 5, 'connections were used again')
})
