import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { systemClock } from '../clock.ts'
import { openShardReader } from './shard-reader.ts'

const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})
const never = new AbortController().signal
const get = () => 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n'

/** A reader beside a server that speaks as it is told, connection by connection. */
async function openBeside(
  speak: (socket: Socket, connection: number) => void,
  { socketsMost = 4, silentMs = 30_000 } = {},
) {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    speak(socket, ++connections)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const config = { provider: 'p', hostname: '127.0.0.1', port, socketsMost, silentMs, idleMs: 30_000 }
  const reader = openShardReader({ clock: systemClock }, config)
  closing.push(() => {
    reader.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { reader, connections: () => connections }
}

/** Answers every request on the connection with these pieces, a turn of the loop apart. */
function answering(...pieces: (string | Uint8Array)[]) {
  return (socket: Socket) => {
    socket.setNoDelay(true)
    socket.on('data', () => {
      pieces.forEach((piece, at) => setTimeout(() => socket.write(piece), 2 * at))
    })
  }
}

test('an answer may come in any pieces, and lands where it belongs and nowhere else', async () => {
  const body = randomBytes(70_000)
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n'
  const whole = Buffer.concat([Buffer.from(head), body])
  for (const cuts of [
    [],
    [3],
    [head.length - 2],
    [head.length],
    [head.length + 1, 20_000, 69_999],
    [whole.length - 1],
  ]) {
    const pieces = [0, ...cuts].map((from, at) => whole.subarray(from, cuts[at] ?? whole.length))
    const { reader, connections } = await openBeside(answering(...pieces))
    for (let round = 0; round < 3; round++) {
      const memory = Buffer.alloc(70_002, 7)
      await reader.read(get, memory.subarray(1, 70_001), never)
      assert.ok(memory.subarray(1, 70_001).equals(body), `cut at ${cuts.join()}`)
      assert.deepEqual([memory[0], memory[70_001]], [7, 7])
    }
    assert.equal(connections(), 1)
  }
})

test('answers that are none, or not the one asked for, are refused, and their connection ends', {
  timeout: 10_000,
}, async () => {
  const cases: [string, string][] = [
    ['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12345', 'shard.corrupt'],
    ['HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n12345', 'shard.corrupt'],
    ['HTTP/1.1 200 OK\r\n\r\n1234', 'shard.corrupt'],
    ['HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 4\r\n\r\n1234', 'shard.unreachable'],
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n1234\r\n0\r\n\r\n', 'shard.unreachable'],
    ['SSH-2.0-x\r\n\r\n', 'shard.unreachable'],
    [`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(17_000)}`, 'shard.unreachable'],
    ['HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n', 'shard.missing'],
    ['HTTP/1.1 416 No\r\ncontent-length: 2\r\n\r\n{}', 'shard.corrupt'],
    ['HTTP/1.1 403 No\r\ncontent-length: 17\r\n\r\n{"message":"not"}', 'shard.denied'],
    ['HTTP/1.1 500 No\r\ncontent-length: 99999\r\n\r\n', 'shard.unreachable'],
    ['HTTP/1.1 503 No\r\n\r\n', 'shard.unreachable'],
  ]
  for (const [answer, code] of cases) {
    const { reader, connections } = await openBeside(answering(answer))
    for (let round = 1; round <= 2; round++) {
      await assert.rejects(reader.read(get, Buffer.alloc(4), never), { code }, answer.slice(0, 60))
      assert.equal(connections(), round)
    }
  }
})

test('no more connections than allowed; who waits for one is served in turn, or stops waiting', {
  timeout: 10_000,
}, async () => {
  const held: Socket[] = []
  const { reader, connections } = await openBeside((socket) => socket.on('data', () => held.push(socket)), {
    socketsMost: 2,
  })
  const read = (signal = never) => reader.read(get, Buffer.alloc(1), signal)
  const reads = [read(), read(), read(), read()]
  const stop = new AbortController()
  const impatient = read(stop.signal)
  while (held.length < 2) await new Promise((next) => setTimeout(next, 1))
  stop.abort(new Error('enough'))
  await assert.rejects(impatient, { message: 'enough' })
  for (let answered = 0; answered < 4; answered++) {
    while (held.length === 0) await new Promise((next) => setTimeout(next, 1))
    held.shift()?.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx')
  }
  await Promise.all(reads)
  assert.equal(connections(), 2)
})

test('what broke makes room for the next; what rested too long or speaks unasked is not used again', {
  timeout: 10_000,
}, async () => {
  const { reader, connections } = await openBeside(
    (socket, connection) => {
      let requests = 0
      socket.on('data', () => {
        requests++
        if (connection === 1) return socket.destroy()
        if (connection === 2 && requests === 2) return socket.resetAndDestroy()
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx')
        if (connection === 3) setTimeout(() => socket.write('HTTP/1.1 200 OK\r\n'), 20)
      })
    },
    { socketsMost: 1 },
  )
  const read = () => reader.read(get, Buffer.alloc(1), never)
  await assert.rejects(read(), { code: 'shard.unreachable' })
  await read()
  await read()
  assert.equal(connections(), 3, 'the second hung up while it rested; its request went to a third')
  await new Promise((next) => setTimeout(next, 60))
  await read()
  assert.equal(connections(), 4)
  reader.close()
  await assert.rejects(read(), { code: 'shard.unreachable' })
})

test('memory of a read that was stopped is not written any more', { timeout: 5000 }, async () => {
  const { reader } = await openBeside((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n')
      const more = setInterval(() => socket.write(Buffer.alloc(1000, 9)), 1)
      socket.on('close', () => clearInterval(more))
    })
  })
  const memory = Buffer.alloc(100_000)
  const stop = new AbortController()
  const reading = reader.read(get, memory, stop.signal)
  while (memory[0] === 0) await new Promise((next) => setTimeout(next, 1))
  stop.abort(new Error('enough'))
  await assert.rejects(reading, { message: 'enough' })
  memory.fill(0)
  await new Promise((next) => setTimeout(next, 50))
  assert.ok(memory.every((byte) => byte === 0))
})

test('an answer that stops in the middle breaks off, one that is slow but goes on does not', {
  timeout: 10_000,
}, async () => {
  const speak = (socket: Socket, connection: number) =>
    socket.on('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n')
      let sent = 0
      const more = setInterval(() => {
        if (sent++ < (connection === 1 ? 5 : 20)) socket.write('x')
        else clearInterval(more)
      }, 40)
      socket.on('close', () => clearInterval(more))
    })
  const { reader } = await openBeside(speak, { silentMs: 400 })
  await assert.rejects(reader.read(get, Buffer.alloc(20), never), { code: 'shard.unreachable' })
  const whole = Buffer.alloc(20)
  await reader.read(get, whole, never)
  assert.equal(whole.toString(), 'x'.repeat(20))
})
