import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { bodyTagBytes } from '#storage'
import { systemClock } from '../clock.ts'
import { openShardPool } from './shard-pool.ts'
import { openShardWriter } from './shard-writer.ts'

const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})
const never = new AbortController().signal
const head = 'PUT /x HTTP/1.1\r\n\r\n'
const created = 'HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}'

/** Writers beside a server that speaks as it is told, connection by connection. */
async function openBeside(speak: (socket: Socket, connection: number) => void, { socketsMost = 4 } = {}) {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    speak(socket, ++connections)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const config = { provider: 'p', hostname: '127.0.0.1', port, socketsMost, idleMs: 30_000 }
  const pool = openShardPool(systemClock, config)
  closing.push(() => {
    pool.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const create = (length: number, signal = never) =>
    openShardWriter(
      pool,
      () => ({ head, nonce: 'n' }),
      { provider: 'p', name: 'x', length },
      { shared: new Uint8Array(32) },
      signal,
    )
  return { create, connections: () => connections }
}

/** Gathers what comes until it is a whole request with a body of this length. */
function gathering(length: number, whole: (socket: Socket, pieces: Buffer[]) => void) {
  return (socket: Socket) => {
    let pieces: Buffer[] = []
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece)
      if (Buffer.concat(pieces).length < head.length + length + bodyTagBytes) return
      const all = pieces
      pieces = []
      whole(socket, all)
    })
  }
}

test('head, a short first piece, the rest and the tag of a small shard come in one piece, over a connection that is kept', async () => {
  const came: Buffer[][] = []
  const { create, connections } = await openBeside(
    gathering(364, (socket, pieces) => {
      came.push(pieces)
      socket.write(created)
    }),
  )
  for (let round = 0; round < 5; round++) {
    const writer = create(364)
    const memory = Buffer.alloc(64, 1)
    await writer.write(memory)
    memory.fill(9)
    const rest = writer.write(Buffer.alloc(300, 2))
    const finished = writer.finish()
    await rest
    await finished
  }
  assert.equal(connections(), 1)
  for (const pieces of came.slice(1)) {
    assert.equal(pieces.length, 1)
    const body = pieces[0]?.subarray(head.length, head.length + 364)
    assert.ok(body?.equals(Buffer.concat([Buffer.alloc(64, 1), Buffer.alloc(300, 2)])))
  }
})

test('a short first piece does not wait for what follows later', async () => {
  let first = 0
  const { create } = await openBeside((socket) =>
    socket.once('data', (piece) => {
      first = piece.length
    }),
  )
  const writer = create(100)
  await writer.write(Buffer.alloc(10))
  while (first === 0) await new Promise((next) => setImmediate(next))
  assert.equal(first, head.length + 10)
  writer.abort()
})

test('a long shard arrives whole, and its memory may change as soon as a write has settled', async () => {
  const length = 8 * 1_000_000
  let body: Buffer | undefined
  const { create } = await openBeside(
    gathering(length, (socket, pieces) => {
      body = Buffer.concat(pieces).subarray(head.length, head.length + length)
      socket.write(created)
    }),
  )
  const writer = create(length)
  const memory = Buffer.alloc(1_000_000)
  for (let piece = 0; piece < 8; piece++) {
    memory.fill(piece)
    await writer.write(memory)
  }
  await writer.finish()
  for (let piece = 0; piece < 8; piece++) {
    assert.ok(body?.subarray(piece * 1_000_000, (piece + 1) * 1_000_000).every((byte) => byte === piece))
  }
})

test('each answer is what it says, and only one that leaves nothing open is followed by another request', {
  timeout: 10_000,
}, async () => {
  const cases: [string, string | undefined, number][] = [
    [created, undefined, 1],
    ['HTTP/1.1 201 Created\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}', undefined, 2],
    [`${created}more`, undefined, 2],
    ['HTTP/1.1 409 No\r\ncontent-length: 2\r\n\r\n{}', 'shard.exists', 2],
    ['HTTP/1.1 507 No\r\ncontent-length: 2\r\n\r\n{}', 'shard.full', 2],
    ['HTTP/1.1 403 No\r\ncontent-length: 17\r\n\r\n{"message":"not"}', 'shard.denied', 2],
    ['HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\n{}', 'shard.uncertain', 2],
    ['HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}', 'shard.uncertain', 2],
    ['SSH-2.0-x\r\n\r\n', 'shard.uncertain', 2],
    [`HTTP/1.1 500 No\r\nx: ${'y'.repeat(17_000)}`, 'shard.uncertain', 2],
    ['HTTP/1.1 500 No\r\ncontent-length: 99999\r\n\r\n', 'shard.uncertain', 2],
  ]
  for (const [answer, code, expected] of cases) {
    const { create, connections } = await openBeside(gathering(10, (socket) => socket.write(answer)))
    for (let round = 0; round < 2; round++) {
      const writer = create(10)
      await writer.write(Buffer.alloc(10))
      if (code === undefined) await writer.finish()
      else await assert.rejects(writer.finish(), { code }, answer.slice(0, 60))
      await new Promise((next) => setTimeout(next, 5))
    }
    assert.equal(connections(), expected, answer.slice(0, 60))
  }
})

test('what breaks before the tag was sent is unreachable, after it uncertain', async () => {
  const early = await openBeside((socket) => socket.once('data', () => socket.destroy()))
  const half = early.create(1000)
  await half.write(Buffer.alloc(500))
  await new Promise((next) => setTimeout(next, 20))
  await assert.rejects(half.write(Buffer.alloc(100)), { code: 'shard.unreachable' })
  const late = await openBeside(gathering(10, (socket) => socket.destroy()))
  const whole = late.create(10)
  await whole.write(Buffer.alloc(10))
  await assert.rejects(whole.finish(), { code: 'shard.uncertain' })
})

test('whoever waits for a connection can stop waiting, and one that was given up frees it', async () => {
  const { create, connections } = await openBeside(
    gathering(10, (socket) => socket.write(created)),
    { socketsMost: 1 },
  )
  const holder = create(10)
  await holder.write(Buffer.alloc(5))
  while (connections() === 0) await new Promise((next) => setImmediate(next))
  const stop = new AbortController()
  const waiting = create(10, stop.signal)
  const writing = waiting.write(Buffer.alloc(10))
  stop.abort(new Error('enough'))
  await assert.rejects(writing, { message: 'enough' })
  await assert.rejects(waiting.finish(), { message: 'enough' })
  const third = create(10)
  const sent = third.write(Buffer.alloc(10))
  holder.abort()
  await sent
  await third.finish()
  assert.equal(connections(), 2)
})
