import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { insertPerson, raisePersonEpoch, raiseTenantEpoch } from '#access'
import { changePerson, deletePerson } from '../../src/access/records/people.store.ts'
import { changeTenant, insertTenant } from '../../src/access/records/tenants.store.ts'
import { type Row, sql, type Statement } from '#kernel'
import type { Passkey } from '../tools/authenticator.ts'
import { Passkey as Key } from '../tools/authenticator.ts'
import { type Asker, enrol, firstOwner, good, type House, openHouse, origin, signIn } from '../tools/sign-in-house.ts'

let house: House
let key: Passkey
let asker: Asker

before(async () => {
  house = await openHouse()
  const owner = await firstOwner(house)
  key = owner.keys[0] as Passkey
  asker = owner.asker
})
after(() => house.close())

const me = (who: Asker) => house.ask('GET', '/v1/session', undefined, who)
const enter = async (who: Asker = {}) => ({ cookie: good(await signIn(house, key, who)).cookie })
const minutes = (count: number) => count * 60_000

/** A session of a program, approved by whoever asks. */
async function bearer(who: Asker): Promise<string> {
  const begun = good(await house.ask('POST', '/v1/logins', { label: 'pelago on a laptop' })).body
  assert.equal((await house.ask('POST', '/v1/logins/finish', { device: begun.device })).body.code, 'login.pending')
  good(await house.ask('POST', `/v1/logins/${(begun.code as string).toLowerCase()}/approve`, {}, who))
  return good(await house.ask('POST', '/v1/logins/finish', { device: begun.device })).body.token as string
}

async function addPerson(name: string, roles: ('owner' | 'admin' | 'clerk')[], email?: string) {
  await house.database.transact(() =>
    insertPerson({
      ...{ id: Buffer.from(name.padEnd(12)).toString('hex'), tenant: 'demo', name, displayName: name, email, roles },
      ...{ state: 'active', epoch: 1, createdAt: house.clock.now() },
    }),
  )
}

async function invite(name: string, by: Asker): Promise<Asker> {
  const { code } = good(await house.ask('POST', '/v1/invitations', { person: name }, by)).body
  const claimed = good(await house.ask('POST', '/v1/enrolments', { kind: 'invitation', code })).body
  return enrol(house, claimed.enrolment as string, [new Key(-7), new Key(-8)])
}

test('a session comes as a cookie that no script reads and no other site sends', async () => {
  const { cookies } = await signIn(house, key)
  assert.match(
    cookies.join(),
    /^__Host-pelago=pls_[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/,
  )
  const [row] = await house.database.read(function* (): Generator<Statement, Row[], Row[]> {
    return yield sql`SELECT token FROM sessions ORDER BY created_at DESC LIMIT 1`
  })
  assert.match(row?.token as string, /^[0-9a-f]{64}$/)
  assert.ok(!cookies.join().includes(row?.token as string))
})

test('a session ends after 30 minutes without use, and after 12 hours of use', async () => {
  const idle = await enter()
  house.clock.pass(minutes(30) - 1)
  good(await me(idle))
  house.clock.pass(minutes(30) - 1)
  good(await me(idle))
  house.clock.pass(minutes(30))
  const late = await me(idle)
  assert.deepEqual([late.status, late.body.code], [401, 'session.ended'])
  assert.match(late.body.detail as string, /30 minutes/)

  const busy = await enter()
  for (let at = 0; at < 12 * 60; at += 20) {
    good(await me(busy))
    house.clock.pass(minutes(20))
  }
  assert.match((await me(busy)).body.detail as string, /12 hours/)
  assert.equal((await me(asker)).body.code, 'session.ended')
  asker = await enter()
})

test('a token that somebody else chose is never taken over, and the old session ends', async () => {
  const planted = { cookie: `__Host-pelago=pls_${'A'.repeat(43)}` }
  const first = await enter(planted)
  assert.notEqual(first.cookie, planted.cookie)
  assert.equal((await me(planted)).body.code, 'session.ended')
  const second = await enter(first)
  assert.notEqual(second.cookie, first.cookie)
  assert.equal((await me(first)).body.code, 'session.ended')
  good(await me(second))
  const both = await me({ cookie: `${planted.cookie}; ${second.cookie}` })
  assert.equal(both.body.code, 'request.unauthenticated', 'two cookies of one name count as none')
})

const pages: [what: string, headers: Record<string, string>][] = [
  ['no origin', { 'x-pelago': '1' }],
  ['another origin', { origin: 'https://evil.example', 'x-pelago': '1' }],
  ['an origin that begins alike', { origin: `${origin}.evil.example`, 'x-pelago': '1' }],
  ['the origin "null"', { origin: 'null', 'x-pelago': '1' }],
  ['no header of ours', { origin }],
  ['a header that says otherwise', { origin, 'x-pelago': '0' }],
  ['another site by its own word', { origin, 'x-pelago': '1', 'sec-fetch-site': 'cross-site' }],
  ['a site of the same domain', { origin, 'x-pelago': '1', 'sec-fetch-site': 'same-site' }],
]
for (const [what, headers] of pages) {
  test(`a change with a cookie and ${what} is refused`, async () => {
    const { cookie } = asker
    const tries = [
      ['POST', '/v1/session/end', {}],
      ['POST', '/v1/passkeys/begin', {}],
      ['PUT', '/v1/recovery-plan', { needed: 2, helpers: ['ada', 'ben', 'cleo'] }],
      ['DELETE', '/v1/sessions/x', undefined],
    ] as const
    for (const [method, path, body] of tries) {
      const answer = await house.ask(method, path, body, { ...(cookie !== undefined && { cookie }), headers })
      assert.deepEqual([answer.status, answer.body.code], [401, 'session.forged'], path)
    }
    good(await house.ask('GET', '/v1/session', undefined, { ...(cookie !== undefined && { cookie }), headers }))
    // Nobody is signed in from elsewhere either: he would work in somebody else's name.
    const signed = await signIn(house, key, { headers })
    assert.deepEqual([signed.body.code, signed.cookies.length], ['session.forged', 0])
  })
}

test('a program signs in by a code that a person approves, and needs no page', async () => {
  const token = await bearer(asker)
  const who = { bearer: token, headers: {} }
  assert.equal(good(await me(who)).body.actor, 'ada')
  good(await house.ask('POST', '/v1/session/end', {}, who))
  assert.equal((await me(who)).body.code, 'session.ended')
})

test('a token counts only in the way it was given out', async () => {
  const token = (asker.cookie ?? '').split('=')[1] as string
  assert.equal((await me({ bearer: token })).body.code, 'session.ended')
  const program = await bearer(asker)
  assert.equal((await me({ cookie: `__Host-pelago=${program}` })).body.code, 'session.ended')
  const mixed = await me({ bearer: 'pls_nonsense', ...(asker.cookie !== undefined && { cookie: asker.cookie }) })
  assert.equal(mixed.body.code, 'session.ended', 'a wrong token is not made good by a cookie')
})

test('a login code shows who asks, works once, ends after ten minutes, and is not to be guessed', async () => {
  const unknown = await house.ask('POST', '/v1/logins/finish', { device: 'x'.repeat(43) })
  assert.equal(unknown.body.code, 'ceremony.missing')
  const begun = good(await house.ask('POST', '/v1/logins', { label: 'laptop' })).body
  const shown = good(await house.ask('GET', `/v1/logins/${begun.code as string}`, undefined, asker)).body
  assert.deepEqual(shown, { label: 'laptop', address: '127.0.0.1' })
  good(await house.ask('POST', `/v1/logins/${begun.code as string}/approve`, {}, asker))
  assert.equal(
    (await house.ask('POST', `/v1/logins/${begun.code as string}/approve`, {}, asker)).body.code,
    'login.code',
  )
  house.clock.pass(minutes(10))
  assert.equal((await house.ask('POST', '/v1/logins/finish', { device: begun.device })).body.code, 'ceremony.expired')
  asker = await enter()
  const codes: unknown[] = []
  for (let guess = 0; guess < 12; guess++)
    codes.push((await house.ask('POST', `/v1/logins/AAAA-AAA${guess % 10}/approve`, {}, asker)).body.code)
  assert.deepEqual(new Set(codes), new Set(['login.code', 'attempts.spent']))
  assert.equal(codes.indexOf('attempts.spent'), 10)
  house.clock.pass(minutes(10))
  good(await me(asker))
  assert.equal((await house.ask('POST', '/v1/logins/AAAA-AAAA/approve', {}, asker)).body.code, 'login.code')
})

test('a login that somebody approved who is gone since is worth nothing', async () => {
  await addPerson('lou', ['clerk'])
  const lou = await invite('lou', asker)
  const begun = good(await house.ask('POST', '/v1/logins', { label: 'laptop' })).body
  good(await house.ask('POST', `/v1/logins/${begun.code as string}/approve`, {}, lou))
  await house.database.transact(() => deletePerson('demo', 'lou'))
  assert.equal((await house.ask('POST', '/v1/logins/finish', { device: begun.device })).body.code, 'ceremony.missing')
  assert.equal((await me(lou)).body.code, 'session.ended')
})

test('sessions are listed and ended one by one, of others by admins only', async () => {
  const other = await enter()
  const mine = good(await house.ask('GET', '/v1/sessions', undefined, asker)).body.sessions as Record<string, unknown>[]
  assert.equal(mine.filter(({ current }) => current).length, 1)
  const id = good(await me(other)).body.session as string
  good(await house.ask('DELETE', `/v1/sessions/${id}`, undefined, asker))
  assert.equal((await me(other)).body.code, 'session.ended')
  assert.equal((await house.ask('DELETE', `/v1/sessions/${id}`, undefined, asker)).body.code, 'session.missing')

  await addPerson('cleo', ['clerk'])
  const cleo = await invite('cleo', asker)
  const own = good(await me(asker)).body.session as string
  assert.equal((await house.ask('DELETE', `/v1/sessions/${own}`, undefined, cleo)).body.code, 'session.missing')
  assert.equal((await house.ask('GET', '/v1/sessions?person=ada', undefined, cleo)).body.code, 'access.denied')
  const hers = good(await house.ask('GET', '/v1/sessions?person=cleo', undefined, asker)).body.sessions as {
    id: string
  }[]
  assert.equal(hers.length, 1)
  good(await house.ask('DELETE', `/v1/sessions/${hers[0]?.id ?? ''}`, undefined, asker))
  assert.equal((await me(cleo)).body.code, 'session.ended')
})

test('revocation counts at the very next request', async () => {
  await addPerson('dan', ['owner'])
  const dan = await invite('dan', asker)
  good(await me(dan))
  await house.database.transact(() => raisePersonEpoch('demo', 'dan'))
  assert.match((await me(dan)).body.detail as string, /all sessions were ended/)
  good(await me(asker))

  await addPerson('eve', ['owner', 'clerk'])
  const eve = await invite('eve', asker)
  await house.database.transact(() => changePerson('demo', 'eve', { roles: ['clerk'] }))
  assert.equal((await me(eve)).body.code, 'session.ended', 'weaker roles')
  await addPerson('fay', ['clerk'])
  const fay = await invite('fay', asker)
  await house.database.transact(() => changePerson('demo', 'fay', { state: 'disabled' }))
  assert.match((await me(fay)).body.detail as string, /disabled/)

  await house.database.transact(() => raiseTenantEpoch('demo'))
  assert.equal((await me(asker)).body.code, 'session.ended')
  asker = await enter()
})

test('whoever is disabled does not come in, nor anybody of a tenant that is', async () => {
  await addPerson('kim', ['clerk'])
  const { code } = good(await house.ask('POST', '/v1/invitations', { person: 'kim' }, asker)).body
  const claimed = good(await house.ask('POST', '/v1/enrolments', { kind: 'invitation', code })).body
  const own = new Key(-7)
  const kim = await enrol(house, claimed.enrolment as string, [own, new Key(-7)])
  await house.database.transact(() => changePerson('demo', 'kim', { state: 'disabled' }))
  assert.equal((await signIn(house, own)).body.code, 'access.denied')
  await house.database.transact(() => changePerson('demo', 'kim', { state: 'active' }))
  assert.equal((await me(kim)).body.code, 'session.ended', 'old sessions do not come back')
  const again = { cookie: good(await signIn(house, own)).cookie }
  await house.database.transact(() => changeTenant('demo', { state: 'disabled' }))
  assert.match((await me(again)).body.detail as string, /tenant is disabled/)
  assert.equal((await signIn(house, own)).body.code, 'access.denied')
  await house.database.transact(() => changeTenant('demo', { state: 'active' }))
  good(await me(again))
})

test('an invitation is for who has nothing yet, once, for a day; owners are invited by owners', async () => {
  const post = (person: string, by: Asker) => house.ask('POST', '/v1/invitations', { person }, by)
  assert.equal((await post('ada', asker)).body.code, 'invitation.settled')
  assert.equal((await post('nobody', asker)).body.code, 'person.missing')
  await addPerson('gus', ['admin'])
  const gus = await invite('gus', asker)
  await addPerson('hal', ['owner'])
  assert.equal((await post('hal', gus)).body.code, 'invitation.owner')
  const first = good(await post('hal', asker)).body
  const second = good(await post('hal', asker)).body
  const claim = (code: unknown) => house.ask('POST', '/v1/enrolments', { kind: 'invitation', code })
  assert.equal((await claim(first.code)).body.code, 'invitation.code', 'a newer one ends it')
  house.clock.pass(24 * 60 * minutes(1))
  assert.equal((await claim(second.code)).body.code, 'invitation.code')
  asker = await enter()
  const third = good(await post('hal', asker)).body
  const claims = await Promise.all([claim(third.code), claim(third.code), claim(third.code)])
  assert.equal(claims.filter(({ status }) => status === 200).length, 1)
  const enrolment = claims.find(({ status }) => status === 200)?.body.enrolment
  await house.database.transact(() => changePerson('demo', 'hal', { state: 'disabled' }))
  const disabled = await house.ask('POST', '/v1/enrolments/passkeys/begin', { enrolment })
  assert.equal(disabled.body.code, 'ceremony.missing')
  await house.database.transact(() => changePerson('demo', 'hal', { state: 'active' }))
  house.clock.pass(minutes(60))
  const late = await house.ask('POST', '/v1/enrolments/passkeys/begin', { enrolment })
  assert.equal(late.body.code, 'ceremony.expired')
  asker = await enter()
})

test('the token of the machine is nobody: it has no passkeys and approves nothing', async () => {
  const who = house.local
  assert.equal((await house.ask('POST', '/v1/passkeys/begin', {}, who)).body.code, 'session.personless')
  assert.equal((await house.ask('POST', '/v1/recoveries/x/approve', {}, who)).body.code, 'session.personless')
  assert.equal((await house.ask('GET', '/v1/sessions', undefined, who)).body.code, 'session.personless')
  good(await house.ask('GET', '/v1/sessions?person=ada', undefined, who))
})

test('the admin code: from the machine only, 15 minutes, once, few guesses, and only before there is an owner', async () => {
  const fresh = await openHouse()
  try {
    const make = () => fresh.ask('POST', '/v1/admin-codes', {}, fresh.local)
    const claim = (code: unknown, name = 'ada') => fresh.ask('POST', '/v1/enrolments', { kind: 'admin', code, name })
    const old = good(await make()).body
    assert.match(old.code as string, /^([A-HJ-NP-Z2-9]{4}-){2}[A-HJ-NP-Z2-9]{4}$/)
    fresh.clock.pass(minutes(15))
    assert.equal((await claim(old.code)).body.code, 'admin.code')
    const replaced = good(await make()).body
    const code = good(await make()).body.code as string
    assert.equal((await claim(replaced.code)).body.code, 'admin.code')
    assert.equal((await fresh.ask('POST', '/v1/enrolments', { kind: 'admin', code })).body.code, 'enrolment.name')
    assert.equal((await fresh.ask('POST', '/v1/enrolments', { kind: 'invitation', code })).body.code, 'invitation.code')
    const broken = good(await claim(code.toLowerCase().replaceAll('-', ' '))).body
    assert.deepEqual([broken.person, broken.owed], ['ada', 2])
    assert.equal((await claim(code)).body.code, 'admin.code')

    // Broken off before a passkey was registered: the machine gives another code, and what was begun ends.
    const again = good(await claim(good(await make()).body.code)).body
    assert.equal(
      (await fresh.ask('POST', '/v1/enrolments/passkeys/begin', { enrolment: broken.enrolment })).body.code,
      'ceremony.missing',
    )
    const ada = await enrol(fresh, again.enrolment as string, [new Key(-7), new Key(-7)])
    assert.equal((await make()).body.code, 'admin.present')
    assert.equal((await fresh.ask('POST', '/v1/admin-codes', {}, ada)).body.code, 'request.house')
    good(await fresh.ask('GET', '/v1/session', undefined, ada))
  } finally {
    await fresh.close()
  }
})

test('an admin code is worth nothing once an owner has come in by another way', async () => {
  const fresh = await openHouse()
  try {
    const { code } = good(await fresh.ask('POST', '/v1/admin-codes', {}, fresh.local)).body
    await fresh.database.transact(function* () {
      const at = { createdAt: fresh.clock.now() }
      yield* insertTenant({ id: 'demo', name: 'demo', state: 'active', epoch: 1, openToPublic: false, ...at })
      yield* insertPerson({
        ...{ id: 'a'.repeat(24), tenant: 'demo', name: 'zoe', displayName: 'zoe', email: undefined, roles: ['owner'] },
        ...{ state: 'active', epoch: 1, ...at },
      })
    })
    const invited = good(await fresh.ask('POST', '/v1/invitations', { person: 'zoe' }, fresh.local)).body
    const claimed = good(await fresh.ask('POST', '/v1/enrolments', { kind: 'invitation', code: invited.code })).body
    await enrol(fresh, claimed.enrolment as string, [new Key(-7), new Key(-7)])
    const late = await fresh.ask('POST', '/v1/enrolments', { kind: 'admin', code, name: 'eve' })
    assert.equal(late.body.code, 'admin.present')
  } finally {
    await fresh.close()
  }
})

test('guesses at the admin code are counted, and the count outlives the process', async () => {
  const fresh = await openHouse()
  try {
    good(await fresh.ask('POST', '/v1/admin-codes', {}, fresh.local))
    const guess = () => fresh.ask('POST', '/v1/enrolments', { kind: 'admin', code: 'AAAA-AAAA-AAAA', name: 'eve' })
    for (let at = 0; at < 10; at++) assert.equal((await guess()).body.code, 'admin.code')
    const last = await guess()
    assert.deepEqual([last.status, last.body.code], [429, 'attempts.spent'])
    const [row] = await fresh.database.read(function* (): Generator<Statement, Row[], Row[]> {
      return yield sql`SELECT count FROM attempts WHERE subject LIKE 'admin code demo 127%'`
    })
    assert.equal(row?.count, 10)
    fresh.clock.pass(minutes(15))
    assert.equal((await guess()).body.code, 'admin.code')
  } finally {
    await fresh.close()
  }
})

test('on the machine itself, over plain HTTP, the cookie has the name that browsers keep there', async () => {
  const home = 'http://localhost:4100'
  const fresh = await openHouse({ signIn: { rp: 'localhost', name: 'Home', origins: [home], providers: [] } })
  try {
    const { code } = good(await fresh.ask('POST', '/v1/admin-codes', {}, fresh.local)).body
    const claimed = good(await fresh.ask('POST', '/v1/enrolments', { kind: 'admin', code, name: 'ada' })).body
    const { enrolment } = claimed
    let cookies: string[] = []
    for (const one of [new Key(-7), new Key(-7)]) {
      const begun = good(await fresh.ask('POST', '/v1/enrolments/passkeys/begin', { enrolment })).body
      const answer = one.create(begun.options as never, home)
      const made = await fresh.ask(
        'POST',
        '/v1/enrolments/passkeys',
        { enrolment, ceremony: begun.ceremony, name: 'key', answer },
        { headers: { origin: home, 'x-pelago': '1' } },
      )
      good(made)
      cookies = made.cookies
    }
    assert.match(cookies.join(), /^pelago-session=pls_[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/)
  } finally {
    await fresh.close()
  }
})
