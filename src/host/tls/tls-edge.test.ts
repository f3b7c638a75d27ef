import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectPlainly } from 'node:net'
import { after, test } from 'node:test'
import { connect, type ConnectionOptions, createSecureContext, type TLSSocket } from 'node:tls'
import { checkCertificate, pinOfKey } from '#trust'
import { changingSource, testAuthority } from '../../../test/tools/test-authority.ts'
import { systemClock } from '../clock.ts'
import { openHttpServer } from '../http/http-server.ts'
import { openApiServer } from '../http/api-server.ts'
import type { TlsListen } from './tls-edge.ts'

const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})

const { authority, pem, issue } = await testAuthority()
const server = await issue('provider', 'north')
const gateway = await issue('gateway', 'one')

const judge: TlsListen['judge'] = (certificate) => ({
  ...checkCertificate(certificate, {
    ...{ authority: authority.certificate, role: 'gateway', now: Date.now(), peer: 'a caller' },
  }),
  pin: certificate ? pinOfKey(certificate.publicKey) : '',
})

async function listen(tls: Partial<TlsListen> = {}) {
  const lines: string[] = []
  const source = changingSource(server)
  const limits = { connectionsMost: 200, silentMs: 5000, idleMs: 5000, closeMs: 500, headMost: 8192, direct: true }
  const { port, close } = await openHttpServer(
    { clock: systemClock, log: (_, event, facts) => void lines.push(`${event} ${facts?.why} ${facts?.reason}`) },
    { host: '127.0.0.1', port: 0, tls: { source, ...tls } },
    {
      ...limits,
      handle: async ({ answer, peer, secure }) => {
        const said = Buffer.from(`${secure} ${peer?.role} ${peer?.id} ${peer?.pin === gateway.pin}`)
        answer(200, { 'content-length': said.length }, said)
      },
    },
  )
  closing.push(close)
  return { port, source, lines }
}

const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

/** What a caller hears; empty where he is refused. */
async function ask(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca: pem, ...options })
  return heardBy(socket, () => socket.write(request))
}

function heardBy(socket: TLSSocket, secured: () => void): Promise<string> {
  let heard = ''
  socket.once('secureConnect', secured)
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
  socket.on('error', () => 'that nothing was heard counts')
  return new Promise((resolve) => socket.once('close', () => resolve(heard.split('\r\n\r\n')[1] ?? '')))
}

/** Waits for a line of the log. */
async function said(lines: string[], line: RegExp): Promise<void> {
  for (let tries = 0; tries < 500 && !lines.some((one) => line.test(one)); tries++)
    await new Promise((wake) => setTimeout(wake, 2))
  assert.match(lines.join('\n'), line)
}

test('whoever speaks TLS 1.3 is heard, and with a certificate it is known who he is', async () => {
  const open = await listen()
  assert.equal(await ask(open.port), 'true undefined undefined false')
  assert.equal(await ask(open.port, { ALPNProtocols: ['h2', 'http/1.1'] }), 'true undefined undefined false')
  const judged = await listen({ judge })
  assert.equal(await ask(judged.port, { cert: gateway.cert, key: gateway.key }), 'true gateway one true')
})

test('who is not who he should be is refused before HTTP begins, and the log says why', async () => {
  const { port, lines } = await listen({ judge })
  const foreign = await (await testAuthority()).issue('gateway', 'one')
  const late = await issue('gateway', 'one', { now: Date.now() - 120_000, lifeMs: 60_000 })
  const other = await issue('provider', 'one')
  for (const [line, options] of [
    [/tls\.refused none a caller shows no certificate/, {}],
    [/tls\.refused authority .* not issued by this federation/, foreign],
    [/tls\.refused expired .* expired on/, late],
    [/tls\.refused identity .* is for provider one/, other],
    [/tls\.refused version it speaks an older TLS/, { ...gateway, maxVersion: 'TLSv1.2' as const }],
    [/tls\.refused protocol it does not offer HTTP\/1.1/, { ...gateway, ALPNProtocols: ['h2'] }],
  ] as const) {
    const { cert, key, maxVersion, ALPNProtocols } = options as ConnectionOptions
    const shown = {
      ...(cert && { cert }),
      ...(key && { key }),
      ...(maxVersion && { maxVersion }),
      ...(ALPNProtocols && { ALPNProtocols }),
    }
    assert.equal(await ask(port, shown), '')
    await said(lines, line)
  }
  const plain = connectPlainly(port, '127.0.0.1', () => plain.write(request))
  plain.on('error', () => 'it is cut')
  await once(plain, 'close')
  await said(lines, /tls\.refused plain it speaks plain HTTP/)
})

test('a ticket shortens the next handshake, and the caller is still known', async () => {
  const { port } = await listen({ judge })
  const options = { port, host: '127.0.0.1', ca: pem, cert: gateway.cert, key: gateway.key }
  const first = connect(options)
  const [[session]] = await Promise.all([once(first, 'session'), heardBy(first, () => first.write(request))])
  const second = connect({ ...options, session: session as Buffer })
  const heard = await heardBy(second, () => {
    assert.ok(second.isSessionReused())
    second.write(request)
  })
  assert.equal(heard, 'true gateway one true')
})

test('a new certificate is shown to new connections, and the old ones go on', async () => {
  const { port, source } = await listen()
  const shown = (socket: TLSSocket) => socket.getPeerX509Certificate()?.subject
  const old = connect({ port, host: '127.0.0.1', ca: pem })
  await once(old, 'secureConnect')
  assert.equal(shown(old), 'CN=north')
  source.change(await issue('provider', 'south'))
  const heard = heardBy(old, () => {})
  old.write(request)
  assert.equal(await heard, 'true undefined undefined false')
  const fresh = connect({ port, host: '127.0.0.1', ca: pem })
  await once(fresh, 'secureConnect')
  assert.equal(shown(fresh), 'CN=south')
  fresh.destroy()
})

test('a certificate that cannot be used changes nothing', async () => {
  const { port, source, lines } = await listen()
  source.change({ cert: gateway.cert, key: server.key })
  assert.match(lines.join(), /tls\.unchanged/)
  assert.equal(await ask(port), 'true undefined undefined false')
})

test('another protocol gets its own certificate, and its connection ends with the handshake', async () => {
  const challenge = await issue('provider', 'challenge', { names: ['s3.example.org'] })
  const context = createSecureContext({ cert: challenge.cert, key: challenge.key })
  const protocol = 'acme-tls/1'
  const { port } = await listen({
    select: ({ name, protocols }) =>
      name === 's3.example.org' && protocols.includes(protocol) ? { context, protocol } : undefined,
  })
  const to = (ALPNProtocols: string[]) =>
    connect({
      port,
      host: '127.0.0.1',
      ca: pem,
      servername: 's3.example.org',
      checkServerIdentity: () => undefined,
      ALPNProtocols,
    })
  const asked = to([protocol])
  await once(asked, 'secureConnect')
  assert.equal(asked.alpnProtocol, protocol)
  assert.equal(asked.getPeerX509Certificate()?.subject, 'CN=challenge')
  asked.resume()
  await once(asked, 'close')
  const usual = to(['http/1.1'])
  await once(usual, 'secureConnect')
  assert.equal(usual.getPeerX509Certificate()?.subject, 'CN=north')
  usual.destroy()
})

test('handshakes are bounded in number and in time', async () => {
  const { port, lines } = await listen()
  const silent = Array.from({ length: 140 }, () => connectPlainly(port, '127.0.0.1'))
  let closed = 0
  for (const socket of silent) socket.on('close', () => closed++).on('error', () => 'it is cut')
  await said(lines, /tls\.refused many/)
  for (let tries = 0; tries < 500 && closed < 12; tries++) await new Promise((wake) => setTimeout(wake, 2))
  assert.equal(closed, 12, 'those beyond the bound')
  for (const socket of silent) socket.destroy()
  for (let tries = 0; tries < 500 && closed < 140; tries++) await new Promise((wake) => setTimeout(wake, 2))
  // There is room again, once the server has heard that they left.
  let heard = ''
  for (let tries = 0; tries < 200 && heard === ''; tries++) heard = await ask(port)
  assert.equal(heard, 'true undefined undefined false')
})

test('the API is served over TLS with all its limits, and to nobody without', async () => {
  const source = changingSource(server)
  const ports = { handlers: [], authenticate: async () => undefined, clock: systemClock, log: () => {} }
  const random = { bytes: (length: number) => new Uint8Array(length) }
  const api = await openApiServer({ ...ports, random }, { host: '127.0.0.1', port: 0, tls: { source } })
  closing.push(api.close)
  assert.match(await ask(api.port), /operation\.missing/)
  const plain = connectPlainly(api.port, '127.0.0.1', () => plain.write(request))
  let heard = ''
  plain.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1'))).on('error', () => 'it is cut')
  await once(plain, 'close')
  assert.doesNotMatch(heard, /HTTP/)
  // Who never ends his handshake does not keep it from closing.
  const silent = connectPlainly(api.port, '127.0.0.1')
  silent.on('error', () => 'it is cut')
  await once(silent, 'connect')
  await api.close()
})
