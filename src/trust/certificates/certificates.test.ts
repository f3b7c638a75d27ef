import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Authority, authorityMs, makeAuthority, openAuthority } from './authority.ts'
import { checkCertificate, type ExpectedPeer } from './check-certificate.ts'
import { type CertificateInput, issueCertificate, leafMs } from './issue-certificate.ts'
import { certificateOf, pinOf, pinOfKey } from './pin.ts'
import { lifeOf, renewalAt } from './renewal.ts'

const now = Date.UTC(2030, 0, 1)
const day = 24 * 60 * 60 * 1000
const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const spkiOf = (key: KeyObject) => key.export({ format: 'der', type: 'spki' })

async function newAuthority(): Promise<Authority> {
  const key = keyPair().privateKey
  const certificate = await makeAuthority({ key, name: 'Example', now, serial: randomBytes(16) })
  return openAuthority({ key, certificate, now })
}
const authority = await newAuthority()
const role = keyPair()

function issue(input: Partial<CertificateInput> = {}, by = authority): Promise<string> {
  const usual = {
    role: 'provider',
    id: 'north',
    publicKey: spkiOf(role.publicKey),
    names: ['north.example.org'],
  } as const
  return issueCertificate(by, { ...usual, now, serial: randomBytes(16), ...input })
}
const check = (pem: string | undefined, expected: Partial<ExpectedPeer> = {}) =>
  checkCertificate(pem === undefined ? undefined : certificateOf(pem), {
    authority: authority.certificate,
    role: 'provider',
    id: 'north',
    pin: pinOfKey(role.publicKey),
    now: now + day,
    peer: 'provider north',
    ...expected,
  })

test('what is issued says who it is for, for how long, and what it may be used for', async () => {
  const chain = await issue({ names: ['north.example.org', '10.7.0.1', 'fd00::1'] })
  const leaf = certificateOf(chain)
  assert.equal(leaf.subject, 'CN=north')
  assert.equal(
    leaf.subjectAltName,
    'URI:urn:pelago:provider:north, DNS:north.example.org, IP Address:10.7.0.1, IP Address:FD00:0:0:0:0:0:0:1',
  )
  assert.ok(leaf.checkHost('north.example.org') && leaf.checkIP('10.7.0.1') && leaf.checkIP('fd00::1'))
  assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  assert.equal(leaf.ca, false)
  assert.ok(leaf.checkIssued(authority.certificate) && leaf.verify(authority.certificate.publicKey))
  assert.ok(leaf.checkPrivateKey(role.privateKey))
  assert.equal(leaf.validToDate.getTime(), now + leafMs)
  assert.ok(leaf.validFromDate.getTime() < now)
  assert.equal(chain.match(/BEGIN CERTIFICATE/g)?.length, 2, 'the authority stands behind it')
  assert.deepEqual(check(chain), { role: 'provider', id: 'north' })
})

test('the authority is good for ten years and for nothing but certificates of roles', async () => {
  const { certificate, key } = authority
  assert.equal(certificate.validToDate.getTime() - certificate.validFromDate.getTime(), authorityMs)
  assert.ok(certificate.ca && certificate.checkPrivateKey(key))
  assert.match(certificate.toLegacyObject().subject?.CN?.toString() ?? '', /^Example authority$/)
  const pem = certificate.toString()
  const open = (changes: Partial<Parameters<typeof openAuthority>[0]>) => () =>
    openAuthority({ key, certificate: pem, now, ...changes })
  assert.throws(open({ key: keyPair().privateKey }), { code: 'authority.unfit', message: /does not belong/ })
  assert.throws(open({ now: now + authorityMs + 1 }), { code: 'authority.unfit', message: /expired/ })
  const leaf = await issue()
  assert.throws(open({ certificate: leaf, key: role.privateKey }), { code: 'authority.unfit', message: /another kind/ })
  assert.throws(open({ certificate: 'nothing' }), { code: 'certificate.unreadable' })
  // Its last certificates end with it.
  const late = certificateOf(await issue({ now: now + authorityMs - day }))
  assert.equal(late.validToDate.getTime(), certificate.validToDate.getTime())
})

test('openssl believes it for both ends, and not that an authority follows', async (context) => {
  const found = spawnSync('openssl', ['version'], { encoding: 'utf8' })
  if (found.status !== 0) return context.skip('there is no openssl on this machine')
  const folder = mkdtempSync(join(tmpdir(), 'pelago-trust-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  try {
    const ca = file('ca.pem', authority.certificate.toString())
    const leaf = file('leaf.pem', await issue())
    const at = String((now + day) / 1000)
    for (const purpose of ['sslserver', 'sslclient']) {
      const options = ['-x509_strict', '-purpose', purpose, '-attime', at, '-CAfile', ca]
      const said = execFileSync('openssl', ['verify', ...options, '-verify_hostname', 'north.example.org', leaf])
      assert.match(said.toString(), /: OK\n$/)
    }
    const verify = (...options: string[]) => spawnSync('openssl', ['verify', ...options], { encoding: 'utf8' })
    const late = verify('-attime', String((now + leafMs) / 1000 + 1), '-CAfile', ca, leaf)
    assert.match(late.stderr, /expired/)
    // A role that issues certificates itself is believed by nobody.
    const impostor = { key: role.privateKey, certificate: certificateOf(await issue()) }
    const below = file('below.pem', await issue({ id: 'south' }, impostor))
    assert.notEqual(verify('-attime', at, '-CAfile', ca, '-untrusted', leaf, below).status, 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('whoever is not who is expected is refused, each for its own reason', async () => {
  const good = await issue()
  const refused: [code: string, pem: string | undefined, expected?: Partial<ExpectedPeer>][] = [
    ['tls.none', undefined],
    ['tls.authority', await issue({}, await newAuthority())],
    ['tls.authority', authority.certificate.toString()],
    ['tls.expired', good, { now: now + leafMs + 1 }],
    ['tls.early', good, { now: now - day }],
    ['tls.identity', good, { id: 'south' }],
    ['tls.identity', good, { role: 'gateway' }],
    ['tls.identity', await issue({ role: 'federation' })],
    ['tls.pin', await issue({ publicKey: spkiOf(keyPair().publicKey) })],
  ]
  for (const [code, pem, expected] of refused) assert.throws(() => check(pem, expected), { code })
  // Whom the directory does not pin is still held to the authority.
  const other = await issue({ id: 'south', publicKey: spkiOf(keyPair().publicKey) })
  const anybody = { authority: authority.certificate, role: 'provider', now, peer: 'a caller' } as const
  assert.deepEqual(checkCertificate(certificateOf(other), anybody), { role: 'provider', id: 'south' })
})

test('a certificate that was changed, or signed by a role, is refused', async () => {
  const changed = Buffer.from(certificateOf(await issue()).raw)
  changed[changed.indexOf('north.example.org')] = 'm'.charCodeAt(0)
  assert.throws(() => check(new X509Certificate(changed).toString()), { code: 'tls.authority' })
  const impostor = { key: role.privateKey, certificate: certificateOf(await issue()) }
  assert.throws(() => check(undefined), { code: 'tls.none' })
  const below = await issue({}, impostor)
  assert.throws(() => check(below), { code: 'tls.authority' })
})

test('no certificate is made for a name, an id or a key that cannot have one', async () => {
  const names = ['', 'a b', 'a,b', '*.example.org', 'a/b', 'a@b', '-a', 'URI:urn:pelago:gateway:x', 'x'.repeat(64)]
  for (const name of names) await assert.rejects(issue({ names: [name] }), { code: 'certificate.names' }, name)
  for (const id of ['', 'North', 'a b', 'a:b', 'a, URI:urn:pelago:gateway:b', 'x'.repeat(65)])
    await assert.rejects(issue({ id }), { code: 'certificate.identity' }, id)
  const unfit = [
    generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey,
    generateKeyPairSync('ed25519').publicKey,
    generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
  ].map(spkiOf)
  for (const publicKey of [...unfit, Buffer.from('no key')])
    await assert.rejects(issue({ publicKey }), { code: 'certificate.key' })
})

test('a pin is that of the key, whichever certificate it is in', async () => {
  const pin = pinOf(spkiOf(role.publicKey))
  assert.match(pin, /^[0-9a-f]{64}$/)
  assert.equal(pinOfKey(role.privateKey), pin)
  assert.equal(pinOfKey(certificateOf(await issue({ id: 'a' })).publicKey), pin)
  const kept = createPrivateKey(role.privateKey.export({ format: 'pem', type: 'pkcs8' }))
  assert.equal(pinOfKey(kept), pin)
})

test('renewal comes with a third of the life left, spread over a twentieth of it', async () => {
  const certificate = certificateOf(await issue())
  const life = lifeOf(certificate)
  assert.equal(life, leafMs)
  const left = (chance: number) => certificate.validToDate.getTime() - renewalAt(certificate, chance)
  assert.equal(Math.round(left(0)), Math.round(life / 3))
  assert.ok(left(1) > left(0) && left(1) < life / 2)
})
