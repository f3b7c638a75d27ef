import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../clock.ts'
import type { Exchange } from './http-connection.ts'
import { openHttpServer } from './http-server.ts'

const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})

type Limits = Partial<Parameters<typeof openHttpServer>[2]>

async function openServer(limits: Limits, handle: (exchange: Exchange) => Promise<void>) {
  const refused: string[] = []
  const usual = { connectionsMost: 100, silentMs: 5000, idleMs: 5000, closeMs: 500, headMost: 8192, direct: true }
  const server = await openHttpServer(
    { clock: systemClock, log: () => {} },
    { host: '127.0.0.1', port: 0 },
    {
      ...usual,
      lookMs: 50,
      refused: (why) => void refused.push(why),
      ...limits,
      handle: (exchange) => handle(exchange).catch(() => exchange.cut()),
    },
  )
  closing.push(() => server.close())
  return { port: server.port, refused, connections: server.connections }
}

const answered = async (exchange: Exchange) => {
  await exchange.fill(Buffer.alloc(exchange.bodyLength))
  exchange.answer(200, { 'content-length': 2 }, Buffer.from('ok'))
}

/** A raw connection, what it hears, and when it ended. */
async function dial(port: number): Promise<{ socket: Socket; heard: () => string; over: Promise<number> }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
  socket.on('error', () => 'the end counts, not how')
  await once(socket, 'connect')
  const began = performance.now()
  return { socket, heard: () => heard, over: once(socket, 'close').then(() => performance.now() - began) }
}

/** Says one byte after the other until the connection ends. */
async function drip(socket: Socket, text: string, everyMs: number): Promise<void> {
  for (const sign of text) {
    if (socket.destroyed || !socket.writable) return
    socket.write(sign)
    await sleep(everyMs)
  }
}

test('a head that drips is refused when its time is over, however often a byte comes', async () => {
  const { port } = await openServer({ headMs: 300 }, answered)
  const { socket, heard, over } = await dial(port)
  void drip(socket, `GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ${'a'.repeat(1000)}`, 20)
  const ms = await over
  assert.match(heard(), /^HTTP\/1\.1 408 /)
  assert.ok(ms < 3500, `it took ${ms} ms`)
})

test('a body that drips is ended with words, and the request hears of it', async () => {
  let ended: Error | undefined
  const slow = { bytesPerSecond: 1000, graceMs: 300 }
  const { port, refused } = await openServer({ slow }, async (exchange) => {
    try {
      await answered(exchange)
    } catch (error) {
      ended = error as Error
      assert.ok(exchange.left.aborted)
    }
  })
  const { socket, heard, over } = await dial(port)
  socket.write('PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n')
  void drip(socket, 'b'.repeat(5000), 20)
  const ms = await over
  assert.match(heard(), /^HTTP\/1\.1 408 /)
  assert.ok(ended)
  assert.deepEqual(refused, ['slow'])
  assert.ok(ms < 3500, `it took ${ms} ms`)
})

test('whoever takes an answer too slowly is left', async () => {
  const slow = { bytesPerSecond: 100_000, graceMs: 300 }
  const { port, refused } = await openServer({ slow }, async (exchange) => {
    exchange.begin(200, { 'content-length': 1e9 }, 1e9)
    for (let sent = 0; sent < 1e9; sent += 1e6) await exchange.write(Buffer.alloc(1e6))
  })
  const { socket, over } = await dial(port)
  socket.write('GET /x HTTP/1.1\r\nHost: a\r\n\r\n')
  await sleep(50)
  socket.pause()
  await sleep(1500)
  assert.deepEqual(refused, ['slow'])
  socket.resume()
  await over
})

test('a steady sender is not slow, nor is one who waits for us', async () => {
  const slow = { bytesPerSecond: 1000, graceMs: 200 }
  const { port, refused } = await openServer({ slow }, async (exchange) => {
    await sleep(600)
    await answered(exchange)
  })
  const { socket, heard, over } = await dial(port)
  socket.write('PUT /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3000\r\n\r\n')
  for (let sent = 0; sent < 3000; sent += 100) {
    socket.write('c'.repeat(100))
    await sleep(25)
  }
  await over
  assert.match(heard(), /^HTTP\/1\.1 200 /)
  assert.deepEqual(refused, [])
})

test('no request takes longer than it may', async () => {
  const { port, refused } = await openServer({ requestMs: 300 }, async (exchange) => {
    await new Promise((resolve) => exchange.left.addEventListener('abort', resolve))
  })
  const { socket, heard, over } = await dial(port)
  socket.write('GET /x HTTP/1.1\r\nHost: a\r\n\r\n')
  const ms = await over
  assert.match(heard(), /^HTTP\/1\.1 408 /)
  assert.deepEqual(refused, ['long'])
  assert.ok(ms < 3500, `it took ${ms} ms`)
})

test('too many headers are refused, as many as may be are not', async () => {
  const { port } = await openServer({ headersMost: 10 }, answered)
  for (const [count, status] of [
    [9, 200],
    [10, 431],
  ] as const) {
    const { socket, heard, over } = await dial(port)
    const more = Array.from({ length: count }, (_, at) => `x-${at}: 1\r\n`).join('')
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${more}\r\n`)
    await sleep(50)
    socket.end()
    await over
    assert.match(heard(), new RegExp(`^HTTP/1\\.1 ${status} `))
  }
})

test('one address has its share of the connections, and gets it back', async () => {
  const { port, refused, connections } = await openServer({ perAddressMost: 3 }, answered)
  const held = await Promise.all([dial(port), dial(port), dial(port)])
  await sleep(50)
  await (await dial(port)).over
  assert.deepEqual(refused, ['address'])
  assert.equal(connections(), 3)
  const other = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
  await once(other, 'connect')
  other.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match(String((await once(other, 'data'))[0]), /^HTTP\/1\.1 200 /)
  other.destroy()
  held[0]?.socket.destroy()
  await sleep(50)
  const again = await dial(port)
  again.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match(String((await once(again.socket, 'data'))[0]), /^HTTP\/1\.1 200 /)
  again.socket.destroy()
  for (const { socket } of held) socket.destroy()
})
