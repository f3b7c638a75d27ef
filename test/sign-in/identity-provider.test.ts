import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findPerson, insertPerson, type PersonRole } from '#access'
import { changePerson } from '../../src/access/records/people.store.ts'
import { type Row, sql, type Statement } from '#kernel'
import { type Bend, goThrough, openIdentityProvider } from '../tools/identity-provider.ts'
import { firstOwner, good, type House, openHouse, origin, rp } from '../tools/sign-in-house.ts'
import { openVirtualClock } from '../tools/virtual-clock.ts'

const page = `${origin}/sign-in/callback`
const machine = 'http://127.0.0.1:49152/callback'
const folder = mkdtempSync(join(tmpdir(), 'pelago-oidc-'))
const secretFile = join(folder, 'secret')
const accounts: Parameters<typeof openIdentityProvider>[0] = {
  ben: { email: 'Ben@example.org', email_verified: true, name: 'Ben' },
  cleo: { email: 'cleo@example.org', email_verified: false },
  dan: { email: 'dan@example.org', email_verified: true, groups: ['storage-admins', 'all'], name: 'Dan' },
  eve: { email: 'eve@example.org', email_verified: true, groups: ['all'] },
  frida: { email: 'frida@example.org', email_verified: true },
  ada: { email: 'ada@example.org', email_verified: true },
}

let provider: Awaited<ReturnType<typeof openIdentityProvider>>
let house: House

before(async () => {
  writeFileSync(secretFile, 'a-secret-that-only-the-two-know\n')
  provider = await openIdentityProvider(accounts, [page, machine])
  const { issuer } = provider
  const rules = [
    { claim: 'groups', is: 'storage-admins', roles: ['admin' as const], groups: ['storage'] },
    { claim: 'groups', is: 'auditors', roles: ['auditor' as const], groups: ['audit'] },
  ]
  const one = { name: 'Ours', issuer, clientId: 'pelago', scopes: ['email', 'profile'], rules }
  house = await openHouse(
    {
      egress: { origins: [issuer] },
      signIn: {
        ...{ rp, name: 'Test', origins: [origin] },
        providers: [
          { id: 'ours', ...one, clientSecretFile: secretFile },
          { id: 'slashed', ...one, issuer: `${issuer}/`, clientSecretFile: secretFile },
          { id: 'other-client', ...one, clientId: 'somebody-else' },
          { id: 'inner', ...one, issuer: 'http://127.0.0.1:1' },
        ],
      },
    },
    // Tokens are judged by the machine's clock.
    openVirtualClock(Date.now()),
  )
  const owner = await firstOwner(house)
  assert.ok(owner.asker.cookie)
  await addPerson('benjamin', 'ben@example.org', ['clerk'])
  await addPerson('cleopatra', 'cleo@example.org', ['clerk'])
  await house.database.transact(() => changePerson('demo', 'ada', { email: 'ada@example.org' }))
})
after(async () => {
  await house.close()
  await provider.close()
  rmSync(folder, { recursive: true })
})

async function addPerson(name: string, email: string, roles: PersonRole[]) {
  await house.database.transact(() =>
    insertPerson({
      ...{ id: Buffer.from(name.padEnd(12)).toString('hex'), tenant: 'demo', name, displayName: name, email, roles },
      ...{ state: 'active', epoch: 1, createdAt: house.clock.now() },
    }),
  )
}

const begin = (redirectUri = page, id = 'ours') =>
  house.ask('POST', '/v1/sign-in/provider', { provider: id, redirectUri })
const finish = (ceremony: unknown, answer: string, carrier = 'cookie') =>
  house.ask('POST', '/v1/sign-in/provider/finish', { ceremony, answer, carrier })
const queryOf = (url: string) => new URL(url).search.slice(1)

/** The whole way, with what a test bends. */
async function enter(login: string, bend: Bend = {}, change: (query: URLSearchParams) => void = () => {}) {
  const { ceremony, url } = good(await begin()).body
  const query = new URLSearchParams(queryOf(await goThrough(url as string, login, page)))
  change(query)
  provider.bend(bend)
  try {
    return await finish(ceremony, query.toString())
  } finally {
    provider.bend({})
  }
}

test('who was invited by an address that the provider has verified comes in, and is known from then on', async () => {
  const first = good(await enter('ben'))
  assert.equal(first.body.person, 'benjamin')
  const me = good(await house.ask('GET', '/v1/session', undefined, { cookie: first.cookie })).body
  assert.deepEqual([me.actor, me.roles], ['benjamin', ['clerk']])
  // The address counts for the first time only.
  await house.database.transact(() => changePerson('demo', 'benjamin', { email: 'other@example.org' }))
  assert.equal(good(await enter('ben')).body.person, 'benjamin')
  const out = good(await house.ask('POST', '/v1/session/end', {}, { cookie: first.cookie })).body
  assert.match(out.signOutUrl as string, new RegExp(`^${provider.issuer}/session/end\\?`))
})

test('an invitation is worth nothing once the person has come in through the provider', async () => {
  await addPerson('frida', 'frida@example.org', ['clerk'])
  const { code } = good(await house.ask('POST', '/v1/invitations', { person: 'frida' }, house.local)).body
  assert.equal(good(await enter('frida')).body.person, 'frida')
  const claimed = await house.ask('POST', '/v1/enrolments', { kind: 'invitation', code })
  assert.equal(claimed.body.code, 'invitation.code')
})

test('an address that is not verified, or that belongs to somebody who has passkeys, lets nobody in', async () => {
  for (const login of ['cleo', 'ada', 'stranger'])
    assert.equal((await enter(login)).body.code, 'provider.uninvited', login)
})

test('a rule brings somebody in, keeps him what it says today, and out when it says nothing any more', async () => {
  const find = () => house.database.read(() => findPerson('demo', 'dan'))
  good(await enter('dan'))
  const dan = await find()
  assert.deepEqual([dan?.roles, dan?.displayName, dan?.email], [['admin'], 'Dan', 'dan@example.org'])
  const groups = async () => {
    const rows = await house.database.read(function* (): Generator<Statement, Row[], Row[]> {
      return yield sql`SELECT people_groups.name FROM people_groups
        JOIN memberships ON memberships.people_group = people_groups.id WHERE memberships.person = ${dan?.id ?? ''}`
    })
    return rows.map(({ name }) => name)
  }
  assert.deepEqual(await groups(), ['storage'])
  assert.equal((await enter('eve')).body.code, 'provider.uninvited')

  accounts.dan = { ...accounts.dan, groups: ['auditors'] }
  const { cookie } = good(await enter('dan'))
  assert.deepEqual([(await find())?.roles, await groups()], [['auditor'], ['audit']])
  accounts.dan = { ...accounts.dan, groups: [] }
  assert.equal((await enter('dan')).body.code, 'provider.uninvited')
  good(await house.ask('GET', '/v1/session', undefined, { cookie }))
})

test('a program comes in through an address of its own machine and gets a token', async () => {
  const { ceremony, url } = good(await begin(machine)).body
  const back = await goThrough(url as string, 'ben', machine)
  const { token } = good(await finish(ceremony, queryOf(back), 'bearer')).body
  const me = await house.ask('GET', '/v1/session', undefined, { bearer: token as string, headers: {} })
  assert.equal(good(me).body.actor, 'benjamin')
})

test('the way to the provider carries PKCE, state and nonce, none of which is used twice', async () => {
  const [one, other] = [good(await begin()).body, good(await begin()).body].map(
    ({ url }) => new URL(url as string).searchParams,
  )
  assert.equal(one?.get('code_challenge_method'), 'S256')
  assert.equal(one?.get('response_type'), 'code')
  for (const name of ['state', 'nonce', 'code_challenge']) {
    assert.equal(one?.get(name)?.length, 43, name)
    assert.notEqual(one?.get(name), other?.get(name))
  }
})

const minute = 60
const now = () => Math.floor(Date.now() / 1000)
const tokens: [what: string, code: string, bend: Bend][] = [
  ['of another issuer', 'provider.issuer', { claims: (claims) => ({ ...claims, iss: 'https://evil.example' }) }],
  ['for somebody else', 'provider.audience', { claims: (claims) => ({ ...claims, aud: 'somebody-else' }) }],
  ['for nobody', 'provider.token', { claims: ({ aud: _, ...claims }) => claims }],
  [
    'for us and somebody else',
    'provider.audience',
    { claims: (claims) => ({ ...claims, aud: ['pelago', 'somebody-else'], azp: 'somebody-else' }) },
  ],
  ['with another nonce', 'provider.nonce', { claims: (claims) => ({ ...claims, nonce: 'x'.repeat(43) }) }],
  ['without nonce', 'provider.token', { claims: ({ nonce: _, ...claims }) => claims }],
  ['that has expired', 'provider.expired', { claims: (claims) => ({ ...claims, exp: now() - minute }) }],
  ['that never expires', 'provider.token', { claims: ({ exp: _, ...claims }) => claims }],
  ['that is not yet good', 'provider.expired', { claims: (claims) => ({ ...claims, nbf: now() + 10 * minute }) }],
  ['without subject', 'provider.token', { claims: ({ sub: _, ...claims }) => claims }],
  ['of another subject than the user info', 'provider.token', { claims: (claims) => ({ ...claims, sub: 'ada' }) }],
  ['signed with a foreign key', 'provider.signature', { foreignKey: true }],
  ['changed after it was signed', 'provider.signature', { token: (token) => changed(token) }],
  ['that is not signed', 'provider.algorithm', { token: (token) => unsigned(token) }],
  ['that is none', 'provider.token', { token: () => 'nonsense' }],
]
for (const [what, code, bend] of tokens) {
  test(`a token ${what} is refused: ${code}`, async () => {
    const answer = await enter('ben', bend)
    assert.equal(answer.body.code, code, JSON.stringify([answer.body, house.lines.at(-1)]))
    assert.equal(answer.cookies.length, 0)
  })
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
function changed(token: string): string {
  const [head, body = '', signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
  return [head, part({ ...claims, note: 'more' }), signature].join('.')
}
const unsigned = (token: string) => `${part({ alg: 'none' })}.${token.split('.')[1] ?? ''}.`

test('an answer with another state is refused before the code is used', async () => {
  const { ceremony, url } = good(await begin()).body
  const query = new URLSearchParams(queryOf(await goThrough(url as string, 'ben', page)))
  const other = good(await begin()).body
  assert.equal((await finish(other.ceremony, query.toString())).body.code, 'provider.state')
  good(await finish(ceremony, query.toString()))
})

test('an answer without state, or of another issuer, is refused', async () => {
  assert.equal((await enter('ben', {}, (query) => query.delete('state'))).body.code, 'provider.state')
  assert.equal(
    (await enter('ben', {}, (query) => query.set('iss', 'https://evil.example'))).body.code,
    'provider.issuer',
  )
})

test('a code counts once, and only with the proof that belongs to it', async () => {
  const { ceremony, url } = good(await begin()).body
  const answer = queryOf(await goThrough(url as string, 'ben', page))
  good(await finish(ceremony, answer))
  assert.equal((await finish(ceremony, answer)).body.code, 'ceremony.missing')

  // The code of one sign-in in another one's answer: its PKCE proof is not that of the code.
  const code = new URLSearchParams(answer).get('code') as string
  assert.equal((await enter('ben', {}, (query) => query.set('code', code))).body.code, 'provider.code')
  const fresh = good(await begin()).body
  const stolen = new URLSearchParams(queryOf(await goThrough(fresh.url as string, 'dan', page))).get('code') as string
  assert.equal((await enter('ben', {}, (query) => query.set('code', stolen))).body.code, 'provider.code')
  assert.equal((await enter('ben', {}, (query) => query.set('code', 'made-up'))).body.code, 'provider.code')
})

test('who refuses at the provider hears so', async () => {
  const refuse = (query: URLSearchParams) => {
    query.delete('code')
    query.set('error', 'access_denied')
  }
  const answer = await enter('ben', {}, refuse)
  assert.equal(answer.body.code, 'provider.refused')
})

test('a sign-in that was begun more than five minutes ago is refused', async () => {
  const { ceremony, url } = good(await begin()).body
  const answer = queryOf(await goThrough(url as string, 'ben', page))
  house.clock.pass(5 * 60_000)
  assert.equal((await finish(ceremony, answer)).body.code, 'ceremony.expired')
})

test('people are sent back to this gateway or to their own machine only', async () => {
  for (const uri of [
    ...['https://evil.example/sign-in/callback', `${origin}/elsewhere`, `${origin}/sign-in/callback?x=1`],
    ...[
      'http://127.0.0.1:80/other',
      'http://localhost:1/callback',
      'https://x@storage.example.org/sign-in/callback',
      'x',
    ],
  ])
    assert.equal((await begin(uri)).body.code, 'provider.redirect', uri)
})

test('issuers count letter by letter, and nobody is asked whom the configuration does not name', async () => {
  assert.equal((await begin(page, 'slashed')).body.code, 'provider.issuer')
  const inner = await begin(page, 'inner')
  assert.equal(inner.body.code, 'provider.failed')
  assert.match(inner.body.detail as string, /egress\.origins/)
  assert.equal((await begin(page, 'nobody')).body.code, 'provider.unknown')
  const { providers } = good(await house.ask('GET', '/v1/identity-providers')).body
  assert.deepEqual((providers as unknown[])[0], { id: 'ours', name: 'Ours' })
})

test('neither tokens nor secrets stand in the log', () => {
  assert.equal(house.lines.filter((line) => /eyJ|only-the-two-know|pls_/.test(line)).length, 0)
})
