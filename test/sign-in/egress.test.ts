import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { type EgressConfig, isPublicAddress, openEgress } from '../../src/host/http/egress.ts'

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected

async function served(listener: RequestListener, use: (origin: string, server: Server) => Promise<void>) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

test('which addresses are public', () => {
  const inner = [
    ...[
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '127.0.0.1',
      '127.255.255.254',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
    ],
    ...[
      '192.0.0.1',
      '192.168.1.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '64:ff9b::7f00:1',
    ],
    ...[
      'fc00::1',
      'fd12::1',
      'fe80::1',
      'ff02::1',
      '2001:db8::1',
      '2002:7f00:1::',
      '::ffff:8.8.8.8',
      'example.org',
      '',
    ],
  ]
  for (const address of inner) assert.equal(isPublicAddress(address), false, address)
  for (const address of ['8.8.8.8', '172.32.0.1', '192.169.0.1', '2a00:1450:4001::1', '2606:4700::1'])
    assert.equal(isPublicAddress(address), true, address)
})

const refused: [url: string, reason: RegExp, config?: Partial<EgressConfig>][] = [
  ['http://example.org/', /not https/],
  ['ftp://example.org/', /not https/],
  ['file:///etc/passwd', /not https/],
  ['https://user:secret@example.org/', /password/],
  ['https://example.org:8443/', /443/],
  ['https://127.0.0.1/', /public/],
  ['https://2130706433/', /public/],
  ['https://0x7f.1/', /public/],
  ['https://[::1]/', /public/],
  ['https://[::ffff:10.0.0.1]/', /public/],
  ['https://169.254.169.254/latest/meta-data', /public/],
  ['https://inner.example/', /public/, { resolve: async () => [{ address: '10.0.0.1', family: 4 }] }],
  [
    'https://mixed.example/',
    /public/,
    {
      resolve: async () => [
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
    },
  ],
  ['no address', /no address/],
]
for (const [url, reason, config] of refused) {
  test(`${url} is not asked`, async () => {
    const egress = openEgress({ origins: [], ...config })
    await assert.rejects(egress({ url }), (error: Error) => {
      assert.ok(code('egress.refused')(error), String(error))
      assert.match(error.message, reason)
      assert.ok(!error.message.includes('secret'))
      return true
    })
  })
}

test('a configured origin is asked, and no other of that machine', async () => {
  await served(
    (request, response) => {
      response.setHeader('x-was', `${request.method} ${request.url} ${request.headers.host}`)
      request.pipe(response)
    },
    async (origin) => {
      const egress = openEgress({ origins: [origin] })
      const answer = await egress({ url: `${origin}/a?b=1`, method: 'POST', body: 'hello', headers: { accept: '*/*' } })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['x-was'], `POST /a?b=1 ${origin.slice(7)}`)
      assert.equal(Buffer.from(answer.body).toString(), 'hello')
      await assert.rejects(egress({ url: origin.replace('127.0.0.1', '127.0.0.2') }), code('egress.refused'))
      await assert.rejects(egress({ url: origin.replace('http', 'https') }), code('egress.refused'))
    },
  )
})

test('a name is resolved once, and the connection goes to what was judged', async () => {
  await served(
    (_, response) => void response.end('in'),
    async (origin) => {
      let asked = 0
      const resolve = async () => {
        asked++
        return [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.9', family: 4 }]
      }
      const named = origin.replace('127.0.0.1', 'provider.example')
      const egress = openEgress({ origins: [named], resolve })
      assert.equal(Buffer.from((await egress({ url: named })).body).toString(), 'in')
      assert.equal(asked, 1)
    },
  )
})

test('redirects are not followed, long and late answers are cut off', async () => {
  await served(
    (request, response) => {
      if (request.url === '/away') return void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
      if (request.url === '/long') return void response.end(Buffer.alloc(3000))
      if (request.url === '/drip') return void response.write('x')
    },
    async (origin) => {
      const egress = openEgress({ origins: [origin], limitBytes: 2000, limitMs: 300 })
      await assert.rejects(egress({ url: `${origin}/away` }), code('egress.refused'))
      await assert.rejects(egress({ url: `${origin}/long` }), code('egress.large'))
      await assert.rejects(egress({ url: `${origin}/drip` }), code('egress.slow'))
      await assert.rejects(egress({ url: `${origin}/never` }), code('egress.slow'))
      const gone = AbortSignal.timeout(50)
      await assert.rejects(egress({ url: `${origin}/never`, signal: gone }), code('egress.failed'))
    },
  )
  const never = openEgress({ origins: [], limitMs: 100, resolve: () => new Promise(() => {}) })
  await assert.rejects(never({ url: 'https://slow.example/' }), code('egress.slow'))
  const closed = openEgress({ origins: ['http://127.0.0.1:1'] })
  await assert.rejects(closed({ url: 'http://127.0.0.1:1/' }), code('egress.failed'))
})
