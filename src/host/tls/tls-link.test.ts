import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, createServer as createPlainServer, type Server } from 'node:net'
import { after, test } from 'node:test'
import { createServer, type TlsOptions } from 'node:tls'
import { changingSource, newKey, testAuthority } from '../../../test/tools/test-authority.ts'
import { systemClock } from '../clock.ts'
import { isLoopback, plainFault, refusePlainListen, refusePlainUrl } from './plain-address.ts'
import { linkReason, type LinkTo, openLinkAgent, openTlsLink } from './tls-link.ts'

const closing: Server[] = []
after(() => closing.forEach((server) => server.close()))

const { authority, issue } = await testAuthority()
const north = await issue('provider', 'north')
const gateway = await issue('gateway', 'one')

/** Answers whoever sends anything, and keeps what it heard. */
async function serve(shown: TlsOptions | 'plain') {
  const heard: string[] = []
  const server =
    shown === 'plain'
      ? createPlainServer((socket) =>
          socket.on('data', () => socket.end('HTTP/1.1 400 \r\n\r\n')).on('error', () => {}),
        )
      : createServer(shown, (socket) => {
          socket.on('error', () => 'the caller hangs up')
          socket.on('data', (chunk: Buffer) => {
            heard.push(chunk.toString())
            socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n${socket.isSessionReused() ? 're' : 'ok'}`)
          })
        })
  server.on('tlsClientError', () => 'the caller does not like us')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(server)
  return { port: (server.address() as AddressInfo).port, heard }
}

function linkTo(to: Partial<LinkTo> = {}, now = systemClock.now) {
  const usual = { role: 'provider', id: 'north', pin: north.pin, peer: 'provider north' } as const
  const source = changingSource(gateway)
  return openTlsLink(
    { clock: { ...systemClock, now } },
    { source, authority: () => authority.certificate, ...usual, ...to },
  )
}

/** Asks by `node:http`, whose request is written before the handshake begins. */
function ask(link: ReturnType<typeof linkTo>, port: number): Promise<string> {
  const agent = openLinkAgent(link, { keepAlive: false })
  return new Promise((resolve, reject) => {
    const asking = request({ agent, host: '127.0.0.1', port, path: '/secret' }, (response) => {
      response.setEncoding('utf8').on('data', resolve)
    })
    asking.on('error', reject).end()
  })
}

test('who is expected is asked, and the next time without certificates', async () => {
  const { port, heard } = await serve(north)
  const link = linkTo()
  assert.equal(await ask(link, port), 'ok')
  assert.equal(await ask(link, port), 're')
  assert.match(heard[0] ?? '', /^GET \/secret HTTP\/1\.1/)
})

test('who is not who is expected hears nothing of what was to be said', async () => {
  const other = await testAuthority()
  const late = await issue('provider', 'north', { now: Date.now() - 120_000, lifeMs: 60_000, key: north.privateKey })
  for (const [code, shown] of [
    ['tls.authority', await other.issue('provider', 'north', { key: north.privateKey })],
    ['tls.identity', await issue('provider', 'south', { key: north.privateKey })],
    ['tls.identity', await issue('gateway', 'north', { key: north.privateKey })],
    ['tls.expired', late],
    ['tls.pin', await issue('provider', 'north', { key: newKey() })],
  ] as const) {
    const { port, heard } = await serve({ cert: shown.cert, key: shown.key })
    await assert.rejects(ask(linkTo(), port), { code }, code)
    assert.deepEqual(heard, [], code)
  }
})

test('older TLS and plain HTTP are refused, and the reason can be understood', async () => {
  const reasonAt = async (shown: TlsOptions | 'plain') => {
    const { port, heard } = await serve(shown)
    const error = await ask(linkTo(), port).catch((failed: unknown) => failed as NodeJS.ErrnoException)
    assert.ok(error instanceof Error)
    assert.deepEqual(heard, [])
    return linkReason(error)
  }
  assert.equal(await reasonAt({ ...north, maxVersion: 'TLSv1.2' }), 'it does not speak TLS 1.3')
  assert.equal(await reasonAt('plain'), 'it does not speak TLS')
})

test('a session that is taken up again is judged again', async () => {
  const { port, heard } = await serve(north)
  let ahead = 0
  const link = linkTo({}, () => Date.now() + ahead)
  assert.equal(await ask(link, port), 'ok')
  ahead = 31 * 24 * 60 * 60 * 1000
  await assert.rejects(ask(link, port), { code: 'tls.expired' })
  assert.equal(heard.length, 1)
  ahead = 0
  assert.equal(await ask(link, port), 'ok', 'what was refused is not taken up again')
})

test('plain is for this machine alone, at both ends', () => {
  for (const host of ['127.0.0.1', '127.9.8.7', '::1', '[::1]', 'localhost', 's3.localhost', '::ffff:127.0.0.1'])
    assert.ok(isLoopback(host), host)
  for (const host of [
    '0.0.0.0',
    '::',
    '10.7.0.1',
    '::ffff:10.0.0.1',
    'example.org',
    'localhost.example.org',
    '128.0.0.1',
  ])
    assert.ok(!isLoopback(host), host)
  assert.equal(plainFault('https://example.org'), undefined)
  assert.match(plainFault('http://10.7.0.1:4300') ?? '', /use https/)
  const wide = { host: '0.0.0.0', port: 9000 }
  assert.throws(() => refusePlainListen('s3', wide, '`enrolled`'), { code: 'tls.listen', message: /0\.0\.0\.0:9000/ })
  refusePlainListen('s3', { host: '127.0.0.1', port: 9000 }, '')
  assert.throws(() => refusePlainUrl('federation.url', 'http://10.0.0.1'), { code: 'tls.ask' })
})
