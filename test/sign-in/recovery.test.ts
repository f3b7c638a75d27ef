import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { insertPerson } from '#access'
import { changePerson } from '../../src/access/records/people.store.ts'
import { type Row, sql, type Statement } from '#kernel'
import { Passkey } from '../tools/authenticator.ts'
import { type Asker, enrol, firstOwner, good, type House, openHouse, signIn } from '../tools/sign-in-house.ts'

const hour = 3_600_000
const names = ['ben', 'cleo', 'dan', 'eve'] as const
type Name = (typeof names)[number] | 'ada'

let house: House
const keys = new Map<Name, Passkey[]>()
let askers: Record<Name, Asker>

before(async () => {
  house = await openHouse()
  const owner = await firstOwner(house)
  keys.set('ada', owner.keys)
  for (const name of names) {
    await house.database.transact(() =>
      insertPerson({
        ...{
          id: Buffer.from(name.padEnd(12)).toString('hex'),
          tenant: 'demo',
          name,
          displayName: name,
          email: undefined,
          roles: ['clerk'],
        },
        ...{ state: 'active', epoch: 1, createdAt: house.clock.now() },
      }),
    )
    const { code } = good(await house.ask('POST', '/v1/invitations', { person: name }, owner.asker)).body
    const claimed = good(await house.ask('POST', '/v1/enrolments', { kind: 'invitation', code })).body
    const pair = [new Passkey(-7), new Passkey(-8)]
    await enrol(house, claimed.enrolment as string, pair)
    keys.set(name, pair)
  }
  await enterAll()
})
after(() => house.close())

/** Sessions do not last as long as the delay. */
async function enterAll() {
  const entered = await Promise.all([...keys].map(async ([name, pair]) => [name, await enter(pair)] as const))
  askers = Object.fromEntries(entered) as Record<Name, Asker>
}

async function enter([key]: Passkey[]): Promise<Asker> {
  return { cookie: good(await signIn(house, key as Passkey)).cookie }
}

const later = async (ms: number) => {
  house.clock.pass(ms)
  await enterAll()
}
type Wish = { id: string; secret: string; words: string }
const wish = async (person: string) =>
  good(await house.ask('POST', '/v1/recoveries', { person })).body as unknown as Wish
const approve = (id: string, by: Name) => house.ask('POST', `/v1/recoveries/${id}/approve`, {}, askers[by])
const cancel = (id: string, by: Name) => house.ask('POST', `/v1/recoveries/${id}/cancel`, {}, askers[by])
const complete = ({ id, secret }: Wish) => house.ask('POST', `/v1/recoveries/${id}/complete`, { secret })
const plan = (needed: number, helpers: string[], by: Name = 'ada') =>
  house.ask('PUT', '/v1/recovery-plan', { needed, helpers }, askers[by])
const kinds = async () => {
  const { notices } = good(await house.ask('GET', '/v1/notices?limit=100', undefined, askers.eve)).body
  return (notices as { kind: string; about: string }[]).map(({ kind, about }) => `${kind} ${about}`)
}

test('without a plan nobody can be recovered; a plan names more people than it needs, of whom one is never enough', async () => {
  assert.equal((await house.ask('POST', '/v1/recoveries', { person: 'ada' })).body.code, 'recovery.planless')
  assert.equal((await plan(1, ['ben', 'cleo'])).body.code, 'request.invalid')
  assert.equal((await plan(2, ['ben', 'cleo'])).body.code, 'recovery.plan')
  assert.equal((await plan(2, ['ben', 'cleo', 'cleo'])).body.code, 'recovery.plan')
  assert.equal((await plan(2, ['ben', 'cleo', 'nobody'])).body.code, 'person.missing')
  assert.equal((await plan(2, ['ben', 'cleo', 'dan'], 'ben')).body.code, 'request.forbidden')
  good(await plan(2, ['ben', 'cleo', 'dan']))
  const shown = good(await house.ask('GET', '/v1/recovery-plan', undefined, askers.ben)).body.plan
  assert.deepEqual(shown, { needed: 2, helpers: ['ben', 'cleo', 'dan'] })
})

test('two of three helpers and 72 hours: old passkeys and sessions end, new ones are registered', async () => {
  const thief = await enter(keys.get('ada') as Passkey[])
  const wished = await wish('ada')
  const list = good(await house.ask('GET', '/v1/recoveries', undefined, askers.ben)).body.recoveries as Wish[]
  assert.equal(list[0]?.words, wished.words, 'helpers see the words that the wisher has')
  assert.ok(!JSON.stringify(list).includes(wished.secret))

  assert.equal((await complete(wished)).body.code, 'recovery.few')
  assert.equal((await approve(wished.id, 'eve')).body.code, 'recovery.helper')
  assert.equal((await approve(wished.id, 'ada')).body.code, 'recovery.helper')
  good(await approve(wished.id, 'ben'))
  const twice = good(await approve(wished.id, 'ben')).body
  assert.deepEqual([twice.approvedBy, twice.readyAt], [['ben'], null], 'one helper counts once')
  assert.equal((await complete(wished)).body.code, 'recovery.few')
  await later(10 * hour)
  const ready = good(await approve(wished.id, 'cleo')).body
  assert.equal(ready.readyAt, house.clock.now() + 72 * hour, 'the delay runs from the last approval')
  await later(72 * hour - 1)
  assert.equal((await complete(wished)).body.code, 'recovery.early')
  const guess = await complete({ ...wished, secret: 'x'.repeat(43) })
  assert.equal(guess.body.code, 'recovery.claim')
  const before = await enter(keys.get('ada') as Passkey[])
  house.clock.pass(1)
  const { enrolment, owed, person } = good(await complete(wished)).body
  assert.deepEqual([owed, person], [2, 'ada'])
  for (const who of [thief, before])
    assert.equal((await house.ask('GET', '/v1/session', undefined, who)).body.code, 'session.ended')
  assert.equal((await signIn(house, keys.get('ada')?.[0] as Passkey)).body.code, 'passkey.unknown')
  assert.equal((await complete(wished)).body.code, 'recovery.missing', 'it is completed once')

  const again = await house.ask('POST', '/v1/invitations', { person: 'ada' }, house.local)
  assert.equal(again.body.code, 'invitation.settled', 'nobody slips in between')
  const fresh = [new Passkey(-7), new Passkey(-8)]
  const ada = await enrol(house, enrolment as string, fresh)
  keys.set('ada', fresh)
  assert.equal(good(await house.ask('GET', '/v1/session', undefined, ada)).body.actor, 'ada')
  await enterAll()
  const seen = (await kinds()).filter((kind) => kind.startsWith('recovery.')).reverse()
  assert.deepEqual(seen, [
    'recovery.planned ada',
    ...['recovery.requested ada', 'recovery.approved ada', 'recovery.approved ada', 'recovery.completed ada'],
  ])
})

test('of two parallel wishes the one that is completed ends the other', async () => {
  const [stranger, real] = [await wish('ada'), await wish('ada')]
  assert.notEqual(stranger.words, real.words)
  for (const { id } of [stranger, real]) for (const by of ['ben', 'dan'] as const) good(await approve(id, by))
  await later(72 * hour)
  const done = await Promise.all([complete(real), complete(stranger)])
  assert.equal(done.filter(({ status }) => status === 200).length, 1)
  assert.deepEqual(
    done.filter(({ status }) => status !== 200).map(({ body }) => body.code),
    ['recovery.missing'],
  )
  const won = done.find(({ status }) => status === 200)?.body
  const fresh = [new Passkey(-7), new Passkey(-7)]
  await enrol(house, won?.enrolment as string, fresh)
  keys.set('ada', fresh)
  await enterAll()
  const list = good(await house.ask('GET', '/v1/recoveries', undefined, askers.ben)).body.recoveries as {
    state: string
  }[]
  assert.deepEqual(
    list
      .slice(0, 2)
      .map(({ state }) => state)
      .sort(),
    ['cancelled', 'completed'],
  )
})

test('any helper, or the person himself, cancels; others do not; what is cancelled stays so', async () => {
  for (const by of ['cleo', 'ada'] as const) {
    const wished = await wish('ada')
    good(await approve(wished.id, 'ben'))
    good(await approve(wished.id, 'dan'))
    assert.equal((await cancel(wished.id, 'eve')).body.code, 'recovery.helper')
    assert.equal(good(await cancel(wished.id, by)).body.state, 'cancelled')
    await later(73 * hour)
    assert.equal((await complete(wished)).body.code, 'recovery.missing')
    assert.equal((await approve(wished.id, 'cleo')).body.code, 'recovery.missing')
    assert.equal((await cancel(wished.id, by)).body.code, 'recovery.missing')
  }
  good(await house.ask('GET', '/v1/session', undefined, askers.ada))
})

test('an approval of somebody who is a helper no longer does not count, and the delay begins anew', async () => {
  const wished = await wish('ada')
  good(await approve(wished.id, 'ben'))
  good(await approve(wished.id, 'cleo'))
  await later(71 * hour)
  good(await plan(2, ['ben', 'dan', 'eve']))
  await later(2 * hour)
  assert.equal((await complete(wished)).body.code, 'recovery.few')
  good(await approve(wished.id, 'dan'))
  assert.equal((await complete(wished)).body.code, 'recovery.early')
  await later(71 * hour)
  await house.database.transact(() => changePerson('demo', 'dan', { state: 'disabled' }))
  keys.delete('dan')
  await later(2 * hour)
  assert.equal((await complete(wished)).body.code, 'recovery.few', 'nor one of somebody who was disabled')
  good(await cancel(wished.id, 'ben'))
  good(await plan(2, ['ben', 'cleo', 'eve']))
})

test('somebody who is disabled is not recovered', async () => {
  const wished = await wish('dan')
  assert.equal((await complete(wished)).body.code, 'recovery.missing', 'nor is the wish even written down')
  const other = await wish('ben')
  good(await approve(other.id, 'cleo'))
  good(await approve(other.id, 'eve'))
  await later(72 * hour)
  await house.database.transact(() => changePerson('demo', 'ben', { state: 'disabled' }))
  assert.equal((await complete(other)).body.code, 'recovery.missing')
  await house.database.transact(() => changePerson('demo', 'ben', { state: 'active' }))
  await enterAll()
  good(await cancel(other.id, 'ben'))
})

test('a helper who has lost his own passkeys does not help himself', async () => {
  const wished = await wish('ben')
  assert.equal((await approve(wished.id, 'ben')).body.code, 'recovery.helper')
  good(await approve(wished.id, 'cleo'))
  good(await approve(wished.id, 'eve'))
  good(await cancel(wished.id, 'ben'))
})

test('a wish that nobody approves lapses, and says so', async () => {
  const wished = await wish('ada')
  await later(14 * 24 * hour)
  assert.equal((await approve(wished.id, 'ben')).body.code, 'recovery.missing')
  const { recoveries } = good(await house.ask('GET', '/v1/recoveries', undefined, askers.ben)).body
  const found = (recoveries as { id: string; state: string }[]).find(({ id }) => id === wished.id)
  assert.equal(found?.state, 'lapsed')
  await wish('cleo')
  assert.ok((await kinds()).includes('recovery.lapsed ada'))
})

test('whoever asks learns nothing about who there is, and cannot bury the others', async () => {
  await later(25 * hour)
  const [known, unknown] = [await wish('cleo'), await wish('mallory')]
  assert.deepEqual(Object.keys(known).sort(), Object.keys(unknown).sort())
  assert.equal((await complete(unknown)).body.code, 'recovery.missing')
  good(await approve(known.id, 'ben'))
  let last = known
  for (let at = 0; at < 8; at++) {
    house.clock.pass(1)
    last = await wish('cleo')
  }
  const many = await house.ask('POST', '/v1/recoveries', { person: 'cleo' })
  assert.deepEqual([many.status, many.body.code], [429, 'attempts.spent'])
  const list = good(await house.ask('GET', '/v1/recoveries', undefined, askers.ben)).body.recoveries as {
    id: string
    state: string
    person: string
  }[]
  const open = list.filter(({ state, person }) => state === 'requested' && person === 'cleo').map(({ id }) => id)
  assert.equal(open.length, 3)
  assert.ok(open.includes(known.id), 'what a helper has approved stays')
  assert.ok(open.includes(last.id), 'who asks last is heard')
})

test('every step is stated for the log, which names nobody', async () => {
  const rows = await house.database.read(function* (): Generator<Statement, Row[], Row[]> {
    return yield sql`SELECT body FROM log_pending ORDER BY id`
  })
  const text = rows.map(({ body }) => body as string)
  const stated = new Set(text.map((body) => (JSON.parse(body) as { topic: string }).topic))
  for (const step of ['planned', 'requested', 'approved', 'cancelled', 'completed', 'lapsed'])
    assert.ok(stated.has(`recovery.${step}`), step)
  for (const topic of ['admin.code', 'admin.claimed', 'person.invited', 'invitation.claimed', 'passkey.registered'])
    assert.ok(stated.has(topic), topic)
  for (const name of ['ada', ...names]) assert.ok(!text.join().includes(`"${name}"`), name)
})
