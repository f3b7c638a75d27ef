/** What browsers, passkeys, identity providers and issuers of tokens send. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import * as access from '#access'
import { systemClock } from '../../../src/host/clock.ts'
import { openIdentityProviders } from '../../../src/host/http/identity-providers.ts'
import { cborOf, readAuthenticatorData } from '../../../src/access/sign-in/authenticator-data.ts'
import { checkClientData } from '../../../src/access/sign-in/client-data.ts'
import { judgeAssertion, judgeRegistration } from '../../../src/access/sign-in/judge-passkey.ts'
import { readPasskeyKey } from '../../../src/access/sign-in/passkey-key.ts'
import { openAccessHouse } from '../../access/open-access.ts'
import { Passkey } from '../../tools/authenticator.ts'
import { openVirtualClock } from '../../tools/virtual-clock.ts'
import { field, json, latin1, lazily, mustBeOurs, type Target } from '../target.ts'

const origin = 'https://acme.example'
const rp = 'acme.example'
const challenge = 'c'.repeat(43)
const expected = { challenge, origins: [origin], rp }
const bytesOf = (text: string) => Buffer.from(text, 'base64url')

const made = ([-7, -8, -257] as const).map((algorithm) => {
  const passkey = new Passkey(algorithm)
  const creation = { challenge, rp: { id: rp }, user: { id: 'user' } }
  const registration = passkey.create(creation, origin, algorithm === -7 ? 'packed' : 'none')
  return { passkey, registration, known: judgeRegistration(registration, expected) }
})
const [first] = made as [(typeof made)[number]]
const assertion = first.passkey.get({ challenge, rpId: rp }, origin)

const attestations: Target = {
  name: 'webauthn-attestation',
  seeds: made.map(({ registration }) => latin1(bytesOf(registration.attestation))),
  words: ['fmt', 'none', 'packed', 'attStmt', 'authData', 'x5c', '\xa0', '\xbf', '\xff', '\x5f', '\xf6', '\xc0'],
  run(input) {
    for (const { registration } of made) {
      try {
        const found = judgeRegistration({ ...registration, attestation: input.toString('base64url') }, expected)
        assert.equal(found.id, registration.id)
        readPasskeyKey(cborOf(found.publicKey).value)
      } catch (error) {
        mustBeOurs(error)
      }
    }
  },
}

const assertions: Target = {
  name: 'webauthn-assertion',
  seeds: [latin1(bytesOf(assertion.authenticatorData))],
  words: ['\x01', '\x05', '\x41', '\xc5', '\0\0\0\0'],
  run(input) {
    const { publicKey, backupEligible } = first.known
    const known = { publicKey, counter: 0, backupEligible, userHandle: 'user' }
    const answer = { ...assertion, authenticatorData: input.toString('base64url') }
    try {
      judgeAssertion(answer, known, expected)
    } catch (error) {
      return mustBeOurs(error)
    }
    assert.equal(answer.authenticatorData, assertion.authenticatorData, 'what nobody signed was taken')
  },
}

const said = bytesOf(assertion.clientData)
const clientData: Target = {
  name: 'webauthn-client-data',
  seeds: [
    said.toString(),
    '{"type":"webauthn.create","challenge":"x","origin":"https://acme.example","crossOrigin":false}',
  ],
  words: ['"crossOrigin":true', '"topOrigin":', challenge, origin, '\ufeff'],
  run(input) {
    for (const type of ['webauthn.create', 'webauthn.get'] as const) {
      try {
        checkClientData(input, type, expected)
      } catch (error) {
        mustBeOurs(error)
        continue
      }
      // WebAuthn level 3, 7.1 step 5: a byte order mark in front is no part of the text.
      const told = JSON.parse(input.toString().replace(/^\ufeff/, '')) as Record<string, unknown>
      assert.deepEqual([told.type, told.challenge, told.origin], [type, challenge, origin])
    }
  },
}

const cbor: Target = {
  name: 'webauthn-cbor',
  seeds: [
    latin1(bytesOf(first.registration.attestation)),
    latin1(first.known.publicKey),
    '\xa1\x61a\x01',
    '\x84\x01\x20\x40\xf5',
  ],
  words: ['\x1a\xff\xff\xff\xff', '\x5a\x7f\xff\xff\xff', '\xba\0\x01\0\0', '\x9f', '\xa1\xa1\xa1', '\x78\x20', '\xfb'],
  run(input) {
    for (const read of [cborOf, (bytes: Uint8Array) => readAuthenticatorData(bytes, rp)]) {
      try {
        const found = read(input)
        if ('value' in found) {
          assert.ok(found.length <= input.length)
          if (found.value instanceof Map) readPasskeyKey(found.value)
        }
      } catch (error) {
        mustBeOurs(error)
      }
    }
  },
}

const issuer = 'https://login.example'
const clientId = 'pelago'
const tie = {
  redirectUri: `${origin}/sign-in/callback`,
  state: 's'.repeat(43),
  nonce: 'n'.repeat(43),
  verifier: 'v'.repeat(43),
}
type Signed = { privateKey: CryptoKey; jwk: Record<string, unknown> }
const signer = lazily(async (): Promise<Signed & { close(): Promise<void> }> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  return {
    privateKey,
    jwk: { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' },
    async close() {},
  }
})

/** Signs what may be signed; what cannot be is sent as it is. */
async function tokenOf(value: unknown, key: CryptoKey): Promise<unknown> {
  const [header, claims] = [field(value, 'header'), field(value, 'claims')]
  if (typeof claims !== 'object' || claims === null) return value
  try {
    return await new SignJWT(claims as JWTPayload).setProtectedHeader(header as JWTHeaderParameters).sign(key)
  } catch {
    return 'it.cannot.be-signed'
  }
}

const soon = () => Math.floor(Date.now() / 1000)
const told = {
  discovery: {
    ...{
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
    },
    ...{ userinfo_endpoint: `${issuer}/me`, end_session_endpoint: `${issuer}/end`, response_types_supported: ['code'] },
    ...{ id_token_signing_alg_values_supported: ['ES256'], subject_types_supported: ['public'] },
    ...{ authorization_response_iss_parameter_supported: true },
  },
  jwks: { keys: ['own'] },
  token: {
    ...{ access_token: 'a', token_type: 'bearer', expires_in: 60, scope: 'openid' },
    id_token: {
      header: { alg: 'ES256', kid: 'one' },
      claims: {
        iss: issuer,
        aud: clientId,
        sub: 'somebody',
        nonce: tie.nonce,
        iat: 0,
        exp: 4_000_000_000,
        groups: ['x'],
      },
    },
  },
  me: { sub: 'somebody', email: 'a@b.example', email_verified: true, name: 'A' },
  answer: `code=c&state=${tie.state}&iss=${encodeURIComponent(issuer)}`,
  status: 200,
}

const providers: Target = {
  name: 'openid-provider',
  seeds: [
    told,
    { ...told, me: undefined },
    { ...told, answer: `error=access_denied&state=${tie.state}` },
    { ...told, status: 503 },
  ].map((seed) => JSON.stringify(seed)),
  words: [
    '"alg":"none"',
    '"alg":"HS256"',
    '"kid":"two"',
    '"keys":[]',
    '"nonce":"x"',
    '"azp":"y"',
    '"crit":["b"]',
    issuer,
    '"exp":1',
  ],
  async run(input) {
    const value = json(input)?.value
    if (value === undefined) return
    const { privateKey, jwk } = await signer.get()
    const part = (name: string) => field(value, name)
    const answers: Record<string, unknown> = { '/jwks': part('jwks'), '/me': part('me') }
    const keys = field(part('jwks'), 'keys')
    if (Array.isArray(keys)) answers['/jwks'] = { keys: keys.map((key: unknown) => (key === 'own' ? jwk : key)) }
    const id_token = field(part('token'), 'id_token')
    const claims = field(id_token, 'claims')
    const dated = { header: field(id_token, 'header'), claims: { ...(claims as object), iat: soon() } }
    const given = typeof claims === 'object' && claims !== null && field(claims, 'iat') === 0 ? dated : id_token
    answers['/token'] = { ...(part('token') as object), id_token: await tokenOf(given, privateKey) }
    const status = part('status')
    const egress = async ({ url }: { url: string }) => {
      const { pathname } = new URL(url)
      const answer = pathname.includes('.well-known') ? part('discovery') : answers[pathname]
      const body = Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer ?? null))
      const code =
        typeof status === 'number' && status >= 200 && status < 600 && Number.isInteger(status) ? status : 200
      const bare = code === 204 || code === 205 || code === 304
      return { status: code, headers: { 'content-type': 'application/json' }, body: bare ? Buffer.alloc(0) : body }
    }
    const config = { id: 'p', name: 'P', issuer, clientId, clientSecret: undefined, scopes: ['email'] }
    const open = openIdentityProviders({ egress, clock: systemClock, log: () => {} }, [config])
    const { signal } = new AbortController()
    const answer = part('answer')
    try {
      const url = new URL(await open.begin('p', tie, signal))
      assert.equal(url.searchParams.get('state'), tie.state)
      const found = await open.finish('p', tie, typeof answer === 'string' ? answer : '', signal)
      assert.equal(found.issuer, issuer, 'another issuer was believed')
      assert.ok(typeof found.subject === 'string' && found.subject.length > 0, 'somebody without a name was believed')
      assert.equal(found.all.nonce, tie.nonce, 'a token of another sign-in was believed')
      assert.ok([found.all.aud].flat().includes(clientId), 'a token for somebody else was believed')
    } catch (error) {
      mustBeOurs(error)
    }
  },
}

const webHouse = lazily(async () => {
  let answer: unknown
  const server = createServer((_, response) =>
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? null)),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const from = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clock = openVirtualClock()
  const house = await openAccessHouse({ origins: [from], clock })
  const { acts, sessions } = house.access
  const call = { actor: 'operator', tenant: 'acme' }
  await access.createTenant(acts, call, { id: 'acme' })
  await access.setWebIssuer(acts, call, { issuer: from, audiences: ['pelago'], keysUrl: `${from}/jwks` })
  const Statement = { Effect: 'Allow', Principal: { Federated: from }, Action: 'sts:AssumeRoleWithWebIdentity' }
  const trust = JSON.stringify({ Version: '2012-10-17', Statement })
  await access.createAssumableRole(acts, call, { name: 'job', trust, longestSeconds: 3600 })
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  return {
    ...{ from, clock, sessions, privateKey, jwk },
    says(next: unknown) {
      answer = next
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await house.close()
    },
  }
})

const webIdentity: Target = {
  name: 'web-identity',
  slow: true,
  seeds: [
    {
      jwks: { keys: ['own'] },
      token: { header: { alg: 'ES256', kid: 'one' }, claims: { sub: 'job', aud: 'pelago', iss: 'own', exp: 600 } },
    },
    { jwks: { keys: [{ kty: 'oct', k: 'AA' }, 'own'] }, token: 'eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.' },
    {
      jwks: { keys: [{ kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'one' }] },
      token: { header: { alg: 'ES256', kid: 'one' }, claims: { iss: 'own', aud: ['pelago'] } },
    },
  ].map((seed) => JSON.stringify(seed)),
  words: ['"own"', '"kid":"two"', '"alg":"none"', '"crv":"P-384"', '"use":"enc"', '"nbf":', '"aud":[]', '"keys":null'],
  async run(input) {
    const value = json(input)?.value
    if (value === undefined) return
    const house = await webHouse.get()
    // The keys are not looked at again for a while.
    house.clock.pass(10 * 60_000)
    const keys = field(field(value, 'jwks'), 'keys')
    const own = (key: unknown) => (key === 'own' ? house.jwk : key)
    house.says(Array.isArray(keys) ? { keys: keys.map(own) } : field(value, 'jwks'))
    const token = field(value, 'token')
    const claims = { ...(field(token, 'claims') as object) } as Record<string, unknown>
    if (claims.iss === 'own') claims.iss = house.from
    if (claims.exp === 600) claims.exp = Math.floor(house.clock.now() / 1000) + 600
    const signed =
      typeof token === 'string'
        ? token
        : await tokenOf({ header: field(token, 'header'), claims }, house.privateKey as never)
    try {
      const given = await house.sessions.assumeRoleWithWebIdentity({
        ...{ roleArn: 'arn:aws:iam::acme:role/job', sessionName: 'run', lookup: () => undefined },
        token: typeof signed === 'string' ? signed : JSON.stringify(signed),
      })
      assert.deepEqual([given.issuer, given.audience], [house.from, 'pelago'])
      assert.ok(Array.isArray(keys) && keys.includes('own'), 'a token was believed without its key')
    } catch (error) {
      mustBeOurs(error)
    }
  },
  close: webHouse.close,
}

export const signInTargets: Target[] = [attestations, assertions, clientData, cbor, providers, webIdentity]
