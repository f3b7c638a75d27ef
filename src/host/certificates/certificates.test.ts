import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect } from 'node:tls'
import { challengeProtocol } from '#endpoint'
import { makeAuthority, openAuthority } from '#trust'
import { openVirtualClock } from '../../../test/tools/virtual-clock.ts'
import { issueOwn } from '../../endpoint/issue-own.ts'
import { systemClock } from '../clock.ts'
import { openHttpServer } from '../http/http-server.ts'
import { openRandom } from '../random.ts'
import { type CertificateConfig, checkEndpoints, type EndpointConfig } from '../run/certificate-configuration.ts'
import { certificateCheck } from './certificate-check.ts'
import { openChanging } from './certificate-state.ts'
import { openChallengeContexts } from './challenge-contexts.ts'
import { openGivenCertificate } from './given-certificate.ts'
import { openHttpChallenge } from './http-challenge.ts'
import { wantedOf } from './wanted-of.ts'

const day = 24 * 60 * 60 * 1000
const folder = mkdtempSync(join(tmpdir(), 'pelago-certificates-'))
after(() => rmSync(folder, { recursive: true }))
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const pem = (key: ReturnType<typeof newKey>) => key.export({ format: 'pem', type: 'pkcs8' })

const began = Date.parse('2030-01-01T00:00:00Z')
const authorityKey = newKey()
const authority = openAuthority({
  key: authorityKey,
  certificate: await makeAuthority({
    key: authorityKey,
    name: 'Test',
    now: began - 200 * day,
    serial: randomBytes(16),
  }),
  now: began,
})
/** @param at when it was made; it is good for 90 days */
async function made(names: string[], at = began) {
  const key = newKey()
  return { chain: await issueOwn(authority, { key, names, now: at, serial: randomBytes(16) }), key: pem(key) }
}
const host = 's3.example.org'
const certificateFile = join(folder, 'chain.pem')
const keyFile = join(folder, 'key.pem')
const put = ({ chain, key }: { chain: string; key: string }) => {
  writeFileSync(certificateFile, chain)
  writeFileSync(keyFile, key)
}

/** Lets what waits for the disk go on, until something has come about. */
async function come(about: () => boolean): Promise<void> {
  for (let turns = 0; !about(); turns++) {
    assert.ok(turns < 2000, 'it did not come about')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

test('a given certificate that clients would refuse is refused at the start, each for its own reason', async () => {
  const good = await made([host])
  const open = () =>
    openGivenCertificate({ clock: openVirtualClock(began), log: () => {} }, { certificateFile, keyFile }, [host])
  const refused: [code: string, given: { chain: string; key: string }, says: RegExp][] = [
    [
      'endpoint.mismatch',
      { ...good, key: (await made([host])).key },
      /does not belong to the certificate for s3\.example\.org/,
    ],
    ['endpoint.expired', await made([host], began - 91 * day), /expired on 2029-12-31/],
    ['endpoint.early', await made([host], began + day), /begins to be good on 2030-01-01T23:55/],
    [
      'endpoint.uncovered',
      await made(['other.example.org']),
      /is for other\.example\.org, but .* reached as s3\.example\.org/,
    ],
    ['endpoint.purpose', { chain: authority.certificate.toString(), key: pem(authorityKey) }, /not for servers/],
    ['endpoint.unreadable', { ...good, chain: 'nothing' }, /The certificate cannot be read/],
    ['endpoint.unreadable', { ...good, key: 'nothing' }, /The private key of the certificate cannot be read/],
  ]
  for (const [code, given, says] of refused) {
    put(given)
    assert.throws(open, { code, message: says })
  }
  rmSync(keyFile)
  assert.throws(open, { code: 'file.missing' })
  put(await made([host.replace('s3', '*')]))
  open().close()
})

test('another one on disk is taken while it is shown; one that is no good is not, and said', async () => {
  const clock = openVirtualClock(began)
  const lines: string[] = []
  const first = await made([host])
  put(first)
  const shown = openGivenCertificate(
    { clock, log: (_, event) => void lines.push(event) },
    { certificateFile, keyFile },
    [host],
  )
  let heard = 0
  shown.source.onChange(() => heard++)
  const second = await made([host])
  put(second)
  clock.pass(5000)
  await come(() => heard === 1)
  assert.deepEqual(shown.source.current(), { cert: second.chain, key: second.key })

  put(await made(['other.example.org']))
  await come(() => {
    clock.pass(5000)
    return lines.includes('certificate.refused')
  })
  assert.equal(shown.source.current().cert, second.chain)
  assert.match(shown.state().trouble, /is also reached as s3\.example\.org/)
  const { state, says } = certificateCheck(shown.state(), clock.now())
  assert.equal(state, 'warning')
  assert.match(says, /good until 2030-04-01.*but: The certificate is for other\.example\.org/)

  // One file first: what does not belong together is looked at again before it is called wrong.
  const third = await made([host])
  writeFileSync(certificateFile, third.chain)
  clock.pass(5000)
  writeFileSync(keyFile, third.key)
  await come(() => {
    clock.pass(1000)
    return heard === 2
  })
  assert.equal(shown.state().trouble, '')
  assert.deepEqual(lines, ['certificate.taken', 'certificate.refused', 'certificate.taken'])

  rmSync(keyFile)
  await come(() => {
    clock.pass(5000)
    return shown.state().trouble !== ''
  })
  assert.match(shown.state().trouble, /cannot be read.*ENOENT/)
  put(third)
  await come(() => {
    clock.pass(5000)
    return shown.state().trouble === ''
  })
  shown.close()
})

test('readiness says how long it is good, when that ends soon, and that it has ended', async () => {
  const certificate = await made([host])
  const { state } = openChanging(certificate)
  const states = (at: number) => certificateCheck(state(), began + at).state
  assert.deepEqual(
    [0, 82, 84, 91].map((days) => states(days * day)),
    ['good', 'good', 'warning', 'bad'],
  )
  const none = openChanging(undefined)
  none.trouble('nobody answers')
  const check = certificateCheck(none.state(), began)
  assert.deepEqual([check.state, check.says], ['bad', 'there is no certificate yet: nobody answers'])
})

const plain: EndpointConfig = {
  s3: { host: '127.0.0.1', port: 9000, hostnames: [host] },
  api: { host: '127.0.0.1', port: 4100 },
}
const all = { host: '0.0.0.0', port: 9000, hostnames: [host] }
const acme: CertificateConfig = { kind: 'acme', termsAgreed: true, http: { host: '0.0.0.0', port: 80 } }

test('what would be plain on the network, or cannot be ordered, is refused before anything is opened', () => {
  const refused: [code: string, config: Partial<EndpointConfig>][] = [
    ['endpoint.plain', { s3: all }],
    ['endpoint.plain', { s3: { ...all, host: '::' } }],
    ['endpoint.plain', { s3: { ...all, host: '10.7.0.1' } }],
    ['endpoint.plain', { api: { host: '10.7.0.1', port: 4100 } }],
    ['certificate.incomplete', { certificate: { kind: 'given', certificateFile } }],
    ['certificate.incomplete', { s3: { ...all, hostnames: [] }, certificate: acme }],
    ['certificate.terms', { s3: all, certificate: { ...acme, termsAgreed: false } }],
    ['certificate.wildcard', { s3: { ...all, hostnames: ['*.example.org'] }, certificate: acme }],
    ['certificate.address', { s3: { ...all, hostnames: ['10.7.0.1'] }, certificate: acme }],
    ['certificate.challenge', { s3: all, certificate: { kind: 'acme', termsAgreed: true } }],
    ['certificate.incomplete', { certificate: { kind: 'acme', termsAgreed: true, challenges: ['http-01'] } }],
  ]
  for (const [code, changes] of refused)
    assert.throws(() => checkEndpoints({ ...plain, ...changes }), { code }, JSON.stringify(changes))
  for (const changes of [
    {},
    { s3: { ...all, host: 'localhost' } },
    { s3: all, certificate: { kind: 'self-made' as const } },
    { s3: all, api: all, certificate: acme },
    { s3: { ...all, port: 443 }, certificate: { kind: 'acme' as const, termsAgreed: true } },
  ])
    checkEndpoints({ ...plain, ...changes })
})

test('what is wanted follows from names, addresses and ports', () => {
  const selfMade = wantedOf({
    s3: { host: '10.7.0.1', port: 9000, hostnames: [host.toUpperCase(), host] },
    api: { host: '127.0.0.1', port: 1 },
    certificate: { kind: 'self-made', names: ['console.example.org'] },
  })
  assert.deepEqual(selfMade?.names, [
    ...[host, 'console.example.org', '10.7.0.1', '127.0.0.1'],
    ...[`*.${host}`, '*.console.example.org'],
  ])
  const ordered = wantedOf({ ...plain, s3: { ...all, port: 443 }, certificate: acme })
  assert.deepEqual(ordered?.names, [host])
  assert.deepEqual(ordered?.acme?.challenges, ['tls-alpn-01', 'http-01'])
  assert.match(ordered?.acme?.directory ?? '', /letsencrypt/)
  assert.equal(wantedOf({ ...plain, certificate: { kind: 'given' } }), undefined)
})

function ask(port: number, path: string, name: string, method = 'GET') {
  return new Promise<{ status: number | undefined; location: string | undefined; text: string }>((resolve, reject) => {
    const request = get(
      { host: '127.0.0.1', port, path, method, headers: { host: name }, agent: false },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        response.on('end', () => resolve({ status: response.statusCode, location: response.headers.location, text }))
      },
    )
    request.on('error', reject)
  })
}

test('plain HTTP has answers to challenges for those who ask for the right name, and sends others to https and nowhere else', async () => {
  const known = { host, kind: 'http-01', token: 'abc', answer: 'abc.def' } as const
  const listener = await openHttpChallenge(
    { host: '127.0.0.1', port: 0 },
    { answer: (token) => (token === 'abc' ? known : undefined), hostnames: [host], port: 9000 },
  )
  try {
    const from = (path: string, name: string, method?: string) => ask(listener.port, path, name, method)
    assert.equal((await from('/.well-known/acme-challenge/abc', host)).text, 'abc.def')
    for (const [path, name, method] of [
      ['/.well-known/acme-challenge/abd', host],
      ['/.well-known/acme-challenge/abc', 'other.example.org'],
      ['/.well-known/acme-challenge/abc', host, 'PUT'],
      ['/bucket/key', 'evil.example'],
      ['//evil.example', 'evil.example'],
    ] as const)
      assert.equal((await from(path, name, method)).status, 404, `${method} ${name}${path}`)
    const sent = await from('/bucket/key?x=1', `bucket.${host}:80`)
    assert.deepEqual([sent.status, sent.location], [308, `https://bucket.${host}:9000/bucket/key?x=1`])
  } finally {
    await listener.close()
  }
})

test('whoever asks by acme-tls/1 is shown the answer, everybody else the certificate; without one nobody is let in', async () => {
  const contexts = openChallengeContexts({ clock: systemClock, random: openRandom(), newKey })
  await contexts.keep([{ host, kind: 'tls-alpn-01', token: 'abc', answer: 'abc.def' }])
  const changing = openChanging(undefined)
  const server = await openHttpServer(
    { clock: systemClock, log: () => {} },
    {
      ...{ host: '127.0.0.1', port: 0 },
      tls: {
        ...{ source: changing.source, oldest: 'TLSv1.2' },
        select({ name, protocols }) {
          const context = protocols.includes(challengeProtocol) ? contexts.of(name) : undefined
          return context && { context, protocol: challengeProtocol }
        },
      },
    },
    {
      ...{ connectionsMost: 10, silentMs: 5000, idleMs: 5000, closeMs: 100, headMost: 8192, direct: true },
      handle: async (exchange) => exchange.answer(200, { 'content-length': 0 }),
    },
  )
  const reach = async (name: string, protocols?: string[]): Promise<X509Certificate | undefined> => {
    const socket = connect({
      ...{ host: '127.0.0.1', port: server.port, servername: name, rejectUnauthorized: false },
      ...(protocols && { ALPNProtocols: protocols }),
    })
    await once(socket, 'secureConnect')
    const found = socket.getPeerX509Certificate()
    socket.destroy()
    return found
  }
  try {
    const answer = await reach(host, [challengeProtocol])
    assert.equal(answer?.subjectAltName, `DNS:${host}`)
    assert.ok(answer.verify(answer.publicKey))
    await assert.rejects(reach(host), /handshake failure/i)
    await assert.rejects(reach('other.example.org', [challengeProtocol]))
    const certificate = await made([host])
    changing.show(certificate)
    const digest = new X509Certificate(certificate.chain).fingerprint256
    assert.equal((await reach(host))?.fingerprint256, digest)
    assert.equal((await reach(host, ['http/1.1']))?.fingerprint256, digest)
    assert.notEqual((await reach(host, [challengeProtocol]))?.fingerprint256, digest)
    await contexts.keep([])
    await assert.rejects(reach(host, [challengeProtocol]))
  } finally {
    await server.close()
  }
})
