import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, Socket } from 'node:net'
import { after, test } from 'node:test'
import { connect as connectSecurely, TLSSocket } from 'node:tls'
import { changingSource, testAuthority } from '../../../test/tools/test-authority.ts'
import { systemClock } from '../clock.ts'
import type { Exchange } from './http-connection.ts'
import { openHttpServer } from './http-server.ts'
import { openSocket } from './http-socket.ts'

const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})

/** All ways in which bodies may come, so that what holds for one holds for the others. */
type Way = { direct: boolean; tls: boolean }
const ways: Way[] = [
  { direct: true, tls: false },
  { direct: false, tls: false },
  { direct: true, tls: true },
  { direct: false, tls: true },
]
const { cert, key } = await (await testAuthority()).issue('provider', 'north')
/** Ports where TLS is spoken. */
const secured = new Set<number>()

function reach(port: number, options: { allowHalfOpen?: boolean } = {}): Socket {
  const to = { port, host: '127.0.0.1', ...options }
  return secured.has(port) ? connectSecurely({ ...to, rejectUnauthorized: false }) : connect({ ...to, noDelay: true })
}
const reached = (socket: Socket) => once(socket, socket instanceof TLSSocket ? 'secureConnect' : 'connect')

async function openServer({ direct, tls }: Way, handle: (exchange: Exchange) => Promise<void>, silentMs = 5000) {
  const limits = { connectionsMost: 100, silentMs, idleMs: silentMs, closeMs: 1000, headMost: 8192 }
  const source = changingSource({ cert, key })
  const server = await openHttpServer(
    { clock: systemClock, log: () => {} },
    { host: '127.0.0.1', port: 0, tls: tls ? { source } : undefined },
    { ...limits, direct, handle: (exchange) => handle(exchange).catch(() => exchange.cut()) },
  )
  closing.push(() => server.close())
  if (tls) secured.add(server.port)
  return server
}

/** Says these pieces, a moment apart, and hears what comes until the connection ends or `enough` has come. */
async function talk(port: number, pieces: (string | Uint8Array)[], enough = (_: string) => false): Promise<string> {
  const socket = reach(port)
  socket.on('error', () => 'what was heard before counts')
  await reached(socket)
  let heard = ''
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
    if (enough(heard)) socket.destroy()
  })
  // `once` of node:events would take an error, such as of a write behind the other side's end, for the end of the test.
  const over = new Promise((resolve) => socket.once('close', resolve))
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise((wake) => setTimeout(wake, 2))
  }
  await over
  return heard
}

const ok = (exchange: Exchange, text = 'ok') =>
  exchange.answer(200, { 'content-length': text.length }, Buffer.from(text))

test('a body may come in any pieces, and lands where it belongs and nowhere else', async () => {
  const body = randomBytes(90_000)
  const head = Buffer.from('PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n')
  const whole = Buffer.concat([head, body])
  for (const way of ways) {
    const { port } = await openServer(way, async (exchange) => {
      const memory = Buffer.alloc(90_002, 7)
      const parts = [memory.subarray(1, 40_001), memory.subarray(40_001, 40_002), memory.subarray(40_002, 90_001)]
      const [first, second] = parts.slice(0, 2).map((part) => exchange.fill(part))
      await first
      await second
      // Nobody wants anything for a moment; the system has its place all the same.
      await new Promise((wake) => setTimeout(wake, 3))
      await exchange.fill(parts[2] as Buffer)
      const right = memory.subarray(1, 90_001).equals(body) && memory[0] === 7 && memory[90_001] === 7
      ok(exchange, right ? 'right' : 'wrong')
    })
    for (const cuts of [[], [5], [head.length - 1], [head.length], [head.length + 1, 30_000], [45_000, 89_000]]) {
      const pieces = [0, ...cuts].map((from, at) => whole.subarray(from, cuts[at] ?? whole.length))
      const heard = await talk(port, [...pieces, ...pieces], (text) => text.split('\r\n\r\n').length === 3)
      assert.deepEqual(heard.match(/right|wrong/g), ['right', 'right'], `${JSON.stringify(way)}, cut at ${cuts.join()}`)
    }
  }
})

test('requests that come together are answered one after the other, also long ones', async () => {
  for (const way of ways) {
    const { port } = await openServer(way, async (exchange) => {
      const said = await exchange.fill(Buffer.alloc(exchange.bodyLength))
      await new Promise((wake) => setTimeout(wake, 1))
      ok(exchange, `${exchange.target} ${said.toString('latin1', 0, 2)} ${said.length};`)
    })
    const request = (at: number, length: number) =>
      `PUT /${at} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${String(at).padEnd(length, '0').slice(0, length)}`
    const lengths = [2, 0, 9000, 3, 30_000, 2, 13_000]
    const all = lengths.map((length, at) => request(at + 10, length)).join('')
    const heard = await talk(port, [all], (text) => text.includes('/16 '))
    assert.deepEqual(
      heard.match(/\/\d+ \d* \d+;/g)?.map((line) => line.split(' ').at(-1)),
      lengths.map((length) => `${length};`),
    )
  }
})

test('a head that could be read in two ways, or is none, is refused and the connection ends', async () => {
  const long = 'x'.repeat(9000)
  for (const [head, status] of [
    ['GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 501],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n folded\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nA: b\nB: c\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nA: b\0\r\n\r\n', 400],
    ['GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['\x16\x03\x01\x02\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: a\r\nA: ${long}\r\n\r\n`, 431],
    [`GET /${long}`, 431],
  ] as const) {
    for (const way of ways) {
      const { port } = await openServer(way, async (exchange) => ok(exchange))
      const heard = await talk(port, [head], (text) => text.includes('\r\n\r\n'))
      assert.match(heard, new RegExp(`^HTTP/1.1 ${status} `), `${JSON.stringify(head.slice(0, 60))} ${heard}`)
      assert.match(heard, /connection: close/)
    }
  }
})

test('what keeps a connection, what ends it, and who waits to be asked for the body', async () => {
  for (const way of ways) {
    const { port } = await openServer(way, async (exchange) => {
      await exchange.fill(Buffer.alloc(exchange.bodyLength))
      ok(exchange)
    })
    const ended = async (head: string) => (await talk(port, [`${head}\r\n\r\n`])).startsWith('HTTP/1.1 200')
    assert.ok(await ended('GET / HTTP/1.1\r\nHost: a\r\nConnection: Close'))
    assert.ok(await ended('GET / HTTP/1.0'))
    const waiting =
      'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n'
    assert.match(await talk(port, [waiting, 'hi']), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200/)
  }
})

test('whoever sends several requests and says that no more comes is answered to all of them', async () => {
  for (const way of ways) {
    const { port } = await openServer(way, async (exchange) => {
      const body = await exchange.fill(Buffer.alloc(exchange.bodyLength))
      await new Promise((wake) => setTimeout(wake, 5))
      exchange.answer(200, { 'content-length': body.length }, body)
    })
    const put = (body: string) => `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const socket = reach(port, { allowHalfOpen: true })
    let heard = ''
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    await reached(socket)
    socket.end(put('one') + put('two') + put('three') + 'PUT / HTTP/1.1\r\nHost')
    await once(socket, 'end')
    socket.end()
    assert.deepEqual(heard.match(/one|two|three/g), ['one', 'two', 'three'])
    assert.equal(heard.match(/HTTP\/1.1 /g)?.length, 3)
  }
})

test('a refusal before the body reaches a sender that goes on, and nothing of the body is taken for a request', async () => {
  for (const way of ways) {
    let requests = 0
    const { port } = await openServer(way, async (exchange) => {
      requests++
      exchange.answer(403, { 'content-length': 2 }, Buffer.from('no'))
    })
    const smuggled = 'GET /inner HTTP/1.1\r\nHost: a\r\n\r\n'
    const head = `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length * 1000}\r\n\r\n`
    const heard = await talk(port, [head, ...Array.from({ length: 10 }, () => smuggled.repeat(100))])
    assert.match(heard, /^HTTP\/1.1 403[^]*connection: close[^]*no$/)
    assert.equal(requests, 1)
  }
})

test('memory that was given for a body is left alone once it was given back', async () => {
  for (const way of ways) {
    const given = Buffer.alloc(60_000)
    let settled: Promise<unknown> | undefined
    const { port } = await openServer(way, async (exchange) => {
      await exchange.fill(given.subarray(0, 10_000))
      settled = Promise.allSettled([exchange.fill(given.subarray(10_000, 60_000))])
      exchange.answer(507, { 'content-length': 0 })
    })
    const heard = talk(port, ['PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n', ...bodies(20)])
    while (!settled) await new Promise((wake) => setTimeout(wake, 1))
    await settled
    given.fill(0)
    assert.match(await heard, /^HTTP\/1.1 507/)
    assert.ok(given.every((byte) => byte === 0))
  }
})
const bodies = (count: number) => Array.from({ length: count }, () => Buffer.alloc(10_000, 1))

test('who leaves is heard of: by a body that will not come, and by an answer that is being made', async () => {
  for (const way of ways) {
    const heard: string[] = []
    const { port } = await openServer(way, async (exchange) => {
      if (exchange.method === 'PUT')
        await exchange.fill(Buffer.alloc(100)).catch((error: Error) => heard.push(error.message))
      else if (!exchange.left.aborted) await once(exchange.left, 'abort')
      heard.push(exchange.method)
      await assert.rejects(exchange.write(Buffer.alloc(1)))
    })
    const leave = async (text: string) => {
      const raw = connect(port, '127.0.0.1')
      const socket = way.tls ? connectSecurely({ socket: raw, rejectUnauthorized: false }) : raw
      await reached(socket)
      socket.write(text)
      await new Promise((wake) => setTimeout(wake, 20))
      raw.resetAndDestroy()
    }
    await leave('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf')
    await leave('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    for (let wait = 0; wait < 500 && heard.length < 3; wait++) await new Promise((wake) => setTimeout(wake, 2))
    assert.deepEqual(heard.toSorted(), ['GET', 'PUT', 'the other side has left'])
  }
})

test('nobody reads past his body, writes headers of his own, or answers half', async () => {
  for (const way of ways) {
    const { port } = await openServer(way, async (exchange) => {
      await assert.rejects(exchange.fill(Buffer.alloc(exchange.bodyLength + 1)), RangeError)
      if (exchange.target === '/half') {
        exchange.begin(200, { 'content-length': 10 }, 10)
        return exchange.write(Buffer.from('half'))
      }
      assert.throws(() => exchange.answer(200, { 'x-name': 'a\r\nset-cookie: b' }), /Invalid character/)
      exchange.cut()
    })
    assert.equal(await talk(port, ['PUT /inject HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi']), '')
    assert.match(await talk(port, ['GET /half HTTP/1.1\r\nHost: a\r\n\r\n']), /\r\n\r\nhalf$/)
  }
})

test('a server that closes lets requests end, and then keeps no connection', { timeout: 5000 }, async () => {
  for (const way of ways) {
    let release = () => {}
    let begun = false
    const server = await openServer(way, async (exchange) => {
      begun = true
      await new Promise<void>((resolve) => {
        release = resolve
      })
      ok(exchange)
    })
    const resting = talk(server.port, [])
    const busy = talk(server.port, ['GET / HTTP/1.1\r\nHost: a\r\n\r\n'])
    while (!begun) await new Promise((wake) => setTimeout(wake, 1))
    const closed = server.close()
    assert.equal(await resting, '')
    release()
    assert.match(await busy, /^HTTP\/1.1 200[^]*ok$/)
    await closed
  }
})

test('this Node lets bodies be read directly, plain and by TLS', async () => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  const byTls = new TLSSocket(new Socket(), { isServer: true, cert, key })
  for (const socket of [accepted, byTls]) {
    const opened = openSocket(
      socket,
      true,
      () => Buffer.alloc(1),
      () => true,
    )
    assert.notEqual(opened, socket, 'chunks are copied')
    opened.destroy()
  }
  client.destroy()
  server.close()
})

test('who has said all and hangs up still gets the answer; who does not go on is given up', async () => {
  for (const way of ways) {
    const handle = async (exchange: Exchange) => {
      await exchange.fill(Buffer.alloc(exchange.bodyLength))
      await new Promise((wake) => setTimeout(wake, 20))
      ok(exchange)
    }
    const { port } = await openServer(way, handle, 100)
    const socket = reach(port, { allowHalfOpen: true })
    let heard = ''
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
    })
    socket.end('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi')
    await once(socket, 'close')
    assert.match(heard, /^HTTP\/1.1 200[^]*ok$/)
    assert.match(await talk(port, ['GET / HT']), /^HTTP\/1.1 408 |^$/)
    assert.equal(await talk(port, ['PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh']), '')
    assert.equal(await talk(port, []), '')
  }
})

test('who asks and takes no answer is heard no further, and hears everything once he listens', {
  timeout: 60_000,
}, async () => {
  const asked = 4000
  const answer = Buffer.alloc(8000, 'a')
  for (const way of ways) {
    let served = 0
    const { port } = await openServer(way, async (exchange) => {
      served++
      exchange.answer(200, { 'content-length': answer.length }, answer)
    })
    const socket = reach(port)
    await reached(socket)
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(asked))
    for (let still = 0, before = -1; still < 50; before = served) {
      await new Promise((wake) => setTimeout(wake, 10))
      still = served === before ? still + 1 : 0
    }
    // What the systems of both sides keep for a connection is some megabytes.
    assert.ok(served < asked / 2, `${served} were answered to nobody`)
    let heard = 0
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.length
      if (heard > asked * answer.length && served === asked) socket.end()
    })
    socket.resume()
    await once(socket, 'close')
    assert.equal(served, asked)
    assert.ok(heard > asked * answer.length)
  }
})
