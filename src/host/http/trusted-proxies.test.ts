import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { S3Handler } from '#s3'
import { systemClock } from '../clock.ts'
import { openRandom } from '../random.ts'
import { openApiServer } from './api-server.ts'
import { openS3Server } from './http-s3.ts'
import { s3LimitsOf } from './s3-limits.ts'
import { openTrustedProxies } from './trusted-proxies.ts'

const listed = openTrustedProxies(['10.0.0.0/8', '2001:db8:1::/48'])
const forwarded = openTrustedProxies(['10.0.0.0/8', '2001:db8:1::/48'], 'Forwarded')

test('of the hops in X-Forwarded-For the last that is no proxy asks; what others say counts for nothing', () => {
  const cases: [connection: string, said: string | undefined, asker: string][] = [
    ['10.1.1.1', '198.51.100.7', '198.51.100.7'],
    ['::ffff:10.1.1.1', '198.51.100.7', '198.51.100.7'],
    ['10.1.1.1', '198.51.100.7, 10.2.2.2', '198.51.100.7'],
    // What the client wrote itself stands before what the proxy saw.
    ['10.1.1.1', '1.2.3.4, 198.51.100.7', '198.51.100.7'],
    ['10.1.1.1', '10.9.9.9, 198.51.100.7, 10.2.2.2', '198.51.100.7'],
    ['10.1.1.1', '198.51.100.7:4711', '198.51.100.7'],
    ['10.1.1.1', '[2001:db8:2::5]:4711', '2001:db8:2::5'],
    ['10.1.1.1', '2001:db8:2::5, 2001:db8:1::9', '2001:db8:2::5'],
    ['10.1.1.1', '10.3.3.3', '10.3.3.3'],
    ['10.1.1.1', undefined, '10.1.1.1'],
    ['10.1.1.1', '', '10.1.1.1'],
    ['10.1.1.1', '198.51.100.7, unknown', '10.1.1.1'],
    ['10.1.1.1', '198.51.100.7, nonsense, 10.2.2.2', '10.2.2.2'],
    ['192.0.2.9', '198.51.100.7', '192.0.2.9'],
    ['', '198.51.100.7', ''],
  ]
  for (const [connection, said, asker] of cases)
    assert.equal(listed.askerOf(connection, { 'x-forwarded-for': said }), asker, `${connection} says ${said}`)
  const long = Array.from({ length: 1000 }, () => '10.2.2.2').join(', ')
  assert.equal(listed.askerOf('10.1.1.1', { 'x-forwarded-for': `198.51.100.7, ${long}` }), '10.2.2.2')
})

test('Forwarded is read as RFC 7239 writes it', () => {
  const cases: [said: string, asker: string][] = [
    ['for=192.0.2.60;proto=http;by=203.0.113.43', '192.0.2.60'],
    ['For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    ['for=192.0.2.43, for=198.51.100.17', '198.51.100.17'],
    ['for=192.0.2.43, FOR = "10.4.4.4:80" ; proto=https', '192.0.2.43'],
    ['for="a, for=1.2.3.4;", for=198.51.100.17', '198.51.100.17'],
    ['for="\\1\\9\\8.51.100.17"', '198.51.100.17'],
    ['for=192.0.2.43, for=_hidden', '10.1.1.1'],
    ['for=192.0.2.43, proto=https', '10.1.1.1'],
    ['for="unclosed, for=192.0.2.43', '10.1.1.1'],
  ]
  for (const [said, asker] of cases) assert.equal(forwarded.askerOf('10.1.1.1', { forwarded: said }), asker, said)
})

test('a proxy hands on the header that it does not write, so that one is not believed', () => {
  const both = { forwarded: 'for=1.2.3.4', 'x-forwarded-for': '198.51.100.7' }
  assert.equal(listed.askerOf('10.1.1.1', both), '198.51.100.7')
  assert.equal(forwarded.askerOf('10.1.1.1', both), '1.2.3.4')
})

test('nobody is trusted unless he is named; what is no network is refused', () => {
  assert.equal(openTrustedProxies([]).askerOf('10.1.1.1', { 'x-forwarded-for': '198.51.100.7' }), '10.1.1.1')
  for (const network of ['10.0.0.0/33', 'proxy.example', '', '10.0.0/8'])
    assert.throws(() => openTrustedProxies([network]), { code: 'proxies.network' })
})

const proxies = openTrustedProxies(['127.0.0.0/8'])
const heads = (asker: string) => ({ 'x-forwarded-for': `1.2.3.4, ${asker}`, connection: 'close' })

test('the S3 edge hands down who asks behind a proxy, and counts none of the proxy’s connections', async () => {
  const seen: (string | undefined)[] = []
  const handle: S3Handler = async ({ from }) => {
    seen.push(from)
    return { status: 200, headers: {} }
  }
  const limits = s3LimitsOf({ connectionsPerAddress: 1 })
  const ports = { handle, clock: systemClock, log: () => {} }
  const server = await openS3Server({ ...ports, proxies }, { host: '127.0.0.1', port: 0 }, limits)
  const bare = await openS3Server(ports, { host: '127.0.0.1', port: 0 })
  try {
    const url = `http://127.0.0.1:${server.port}/`
    await Promise.all(['198.51.100.7', '198.51.100.8'].map((asker) => fetch(url, { headers: heads(asker) })))
    await fetch(`http://127.0.0.1:${bare.port}/`, { headers: heads('198.51.100.9') })
    assert.deepEqual(new Set(seen), new Set(['127.0.0.1', '198.51.100.7', '198.51.100.8']))
  } finally {
    await Promise.all([server.close(), bare.close()])
  }
})

test('the API counts requests by who asks behind a proxy', async () => {
  const limits = {
    connectionsPerAddress: 1,
    rates: {
      address: { perSecond: 0.001, burst: 1, askersMost: 10 },
      asker: { perSecond: 9, burst: 9, askersMost: 10 },
    },
  }
  const ports = { handlers: [], authenticate: async () => undefined, clock: systemClock, random: openRandom() }
  const server = await openApiServer({ ...ports, log: () => {}, proxies }, { host: '127.0.0.1', port: 0 }, limits)
  try {
    const ask = async (asker: string) => {
      const response = await fetch(`http://127.0.0.1:${server.port}/v1/openapi.json`, { headers: heads(asker) })
      await response.body?.cancel()
      return response.status
    }
    assert.deepEqual(await Promise.all([ask('198.51.100.7'), ask('198.51.100.8')]), [200, 200])
    assert.equal(await ask('198.51.100.7'), 429)
  } finally {
    await server.close()
  }
})
