/** Every operation of a gateway is asked once for real: what it promises to state in the log stands there, and nothing stands there of others. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { localToken, sessionAuthentication, anyOf } from '#access'
import { type Operation, operations } from '#api'
import type { Json } from '#kernel'
import { openApiServer } from '../../src/host/http/api-server.ts'
import type { ApiCall, Handler } from '../../src/roles/handler.ts'
import { Passkey } from '../tools/authenticator.ts'
import { openVirtualClock } from '../tools/virtual-clock.ts'
import { openOperations } from './open-operations.ts'

const origin = 'https://storage.example.org'
const rp = 'storage.example.org'
const all: Operation<unknown, unknown>[] = Object.values(operations)
const changing = all.filter(({ method, server }) => method !== 'GET' && (server === 'gateway' || server === 'every'))

let house: Awaited<ReturnType<typeof openOperations>>
let server: Awaited<ReturnType<typeof openApiServer>>
const clock = openVirtualClock()
before(async () => {
  house = await openOperations({ tenant: 'demo', origin, rp, clock })
  const authenticate = anyOf([sessionAuthentication(house.signIn), localToken('the-token', 'demo')])
  server = await openApiServer({ ...house, authenticate, answers: house.index }, { host: '127.0.0.1', port: 0 })
})
after(async () => {
  await server.close()
  await house.close()
})

type Asker = { cookie?: string; authorization?: string }
const local: Asker = { authorization: 'Bearer the-token' }
type Said = Record<string, Json>
const seen = new Set<string>()
let last = 0

/** Asks an operation by its id and looks at what the log has then. */
async function ask(id: string, input: Said = {}, asker: Asker = local): Promise<Said & { cookie: string }> {
  const operation = all.find((one) => one.id === id)
  assert.ok(operation, id)
  const fields: Record<string, unknown> = { ...input }
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = fields[name]
    delete fields[name]
    assert.ok(typeof value === 'string', `${id}: ${name} is in the path`)
    return encodeURIComponent(value)
  })
  const plain = operation.method === 'DELETE' || operation.method === 'GET'
  const query = plain ? `?${new URLSearchParams(fields as Record<string, string>).toString()}` : ''
  const response = await fetch(`http://127.0.0.1:${server.port}${path}${query}`, {
    method: operation.method,
    headers: { origin, 'x-pelago': '1', 'sec-fetch-site': 'same-origin', ...asker } as Record<string, string>,
    ...(!plain && { body: JSON.stringify(fields) }),
  })
  const body = (await response.json()) as Said
  assert.equal(response.status, 200, `${id}: ${JSON.stringify(body)}`)
  const { topics, last: now } = await house.stated(last)
  last = now
  seen.add(id)
  const { states } = operation
  if (states === undefined || 'none' in states) assert.deepEqual(topics, [], id)
  else {
    assert.ok(topics.length > 0, `${id} states nothing`)
    for (const topic of topics) assert.ok(states.includes(topic), `${id} states ${topic}, and does not say so`)
  }
  return { ...body, cookie: (response.headers.getSetCookie().at(-1) ?? '').split(';')[0] ?? '' }
}

const document = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Deny', Action: 's3:*', Resource: '*' },
})
const trust = JSON.stringify({
  Statement: { Effect: 'Allow', Principal: { AWS: 'demo' }, Action: 'sts:AssumeRole' },
})

async function register(enrolment: unknown, keys: Passkey[]): Promise<Asker> {
  let cookie = ''
  for (const [at, key] of keys.entries()) {
    const begun = await ask('enrolment.passkey.begin', { enrolment: enrolment as string }, {})
    const answer = key.create(begun.options as never, origin) as unknown as Json
    const name = `key ${at}`
    const made = { enrolment: enrolment as string, ceremony: begun.ceremony as string, name, answer }
    cookie = (await ask('enrolment.passkey.create', made, {})).cookie
  }
  return { cookie }
}

test('the first owner comes in, and people are invited', async () => {
  const { code } = await ask('admin-code.create')
  const claimed = await ask('enrolment.create', { kind: 'admin', code: code as string, name: 'ada' }, {})
  const keys = [new Passkey(-7), new Passkey(-8)]
  let ada = await register(claimed.enrolment, keys)
  await ask('session.sign-out', {}, ada)
  const begun = await ask('passkey.sign-in.begin', {}, {})
  const answer = (keys[0] as Passkey).get(begun.options as never, origin) as unknown as Json
  ada = { cookie: (await ask('passkey.sign-in.finish', { ceremony: begun.ceremony as string, answer }, {})).cookie }

  const more = await ask('passkey.begin', {}, ada)
  const third = new Passkey(-8)
  const made = third.create(more.options as never, origin) as unknown as Json
  const { id } = await ask('passkey.create', { ceremony: more.ceremony as string, name: 'third', answer: made }, ada)
  await ask('passkey.delete', { id: id as string }, ada)

  const { code: shown, device } = await ask('login.begin', { label: 'a program' }, {})
  await ask('login.approve', { code: shown as string }, ada)
  const { session } = await ask('login.finish', { device: device as string }, {})
  await ask('session.end', { id: session as string }, ada)

  const people = new Map<string, Asker>([['ada', ada]])
  for (const name of ['ben', 'cleo', 'dan']) {
    await ask('person.create', { name, roles: ['clerk'] }, ada)
    const invited = await ask('invitation.create', { person: name }, ada)
    const came = await ask('enrolment.create', { kind: 'invitation', code: invited.code as string }, {})
    people.set(name, await register(came.enrolment, [new Passkey(-7), new Passkey(-8)]))
  }
  await ask('recovery-plan.set', { needed: 2, helpers: ['ben', 'cleo', 'dan'] }, ada)
  const dropped = await ask('recovery.create', { person: 'ada' }, {})
  await ask('recovery.cancel', { id: dropped.id as string }, people.get('ben'))
  const wish = await ask('recovery.create', { person: 'ada' }, {})
  for (const helper of ['ben', 'cleo']) await ask('recovery.approve', { id: wish.id as string }, people.get(helper))
  clock.pass(73 * 3_600_000)
  await ask('recovery.complete', { id: wish.id as string, secret: wish.secret as string }, {})
})

test('tenants, people, keys, policies, roles, issuers', async () => {
  await ask('tenant.create', { tenant: 'other' })
  await ask('tenant.set', { tenant: 'other', state: 'disabled' })
  await ask('tenant.revoke', { tenant: 'other' })
  await ask('person.create', { name: 'eve', roles: ['machine'] })
  await ask('person.set', { name: 'eve', roles: ['machine', 'auditor'], state: 'active' })
  await ask('person.revoke', { name: 'eve' })
  await ask('group.create', { name: 'team' })
  await ask('group.add', { name: 'team', person: 'eve' })
  await ask('group.remove', { name: 'team', person: 'eve' })
  await ask('access.policy.set', { kind: 'group', holder: 'team', name: 'main', document })
  await ask('access.policy.delete', { kind: 'group', holder: 'team', name: 'main' })
  await ask('group.delete', { name: 'team' })
  const { key } = await ask('key.create', { person: 'eve' })
  const { id } = key as { id: string }
  await ask('key.set', { key: id, state: 'disabled' })
  await ask('key.delete', { key: id })
  await ask('person.delete', { name: 'eve' })
  await ask('role.create', { name: 'job', trust })
  await ask('role.trust', { name: 'job', trust })
  await ask('role.revoke', { name: 'job' })
  await ask('role.delete', { name: 'job' })
  const issuer = 'https://ci.example'
  await ask('issuer.set', { issuer, audiences: ['x'], keysUrl: `${issuer}/keys` })
  await ask('issuer.delete', { issuer })
})

test('buckets, jobs, the log', async () => {
  await ask('bucket.create', { name: 'papers' })
  await ask('bucket.policy.set', { name: 'papers', policy: {} })
  await ask('bucket.etags.set', { name: 'papers', etags: 'opaque' })
  const access = document.replace('{"Effect"', '{"Principal":"*","Effect"')
  await ask('bucket.access.set', { bucket: 'papers', document: access })
  await ask('bucket.access.delete', { bucket: 'papers' })
  await ask('quota.bucket.set', { name: 'papers', bytes: 1_000_000 })
  await ask('quota.tenant.set', { tenant: 'demo', objects: 1000 })
  const job = await house.job('demo')
  await ask('job.cancel', { job })
  await ask('job.retry', { job })
  await ask('log.key.rotate')
})

test('keys and recovery kits', async () => {
  await ask('epoch.rotate', { name: 'papers' })
  await house.packs()
  await ask('pack-epoch.rotate')
  const kit = 'a'.repeat(32)
  const found = Buffer.alloc(32, 7)
  const proof = createHash('sha256').update(found).digest('hex')
  const hashes = { gatewayKey: '1'.repeat(64), anchor: '2'.repeat(64), proof }
  await ask('kit.register', { kit, root: 'r', ...hashes, madeAt: 5 })
  await ask('kit.prove', { kit, proof: found.toString('hex') })
  await ask('kit.discard', { kit })
})

test('what changes nothing here', async () => {
  await ask('policy.explain', { policy: {} })
  await ask('demo.provider.stop', { provider: 'isar' })
  await ask('demo.provider.start', { provider: 'isar' })
})

test('none is forgotten', () => {
  /** An identity provider is somebody else's program; `test/sign-in/identity-provider.test.ts` speaks with one. */
  const elsewhere = ['identity-provider.begin', 'identity-provider.finish']
  assert.deepEqual(
    changing.map(({ id }) => id).filter((id) => !seen.has(id)),
    elsewhere,
  )
})

test('what may be asked again under a key is done once, also when nobody had the answer', async () => {
  const inputs: Record<string, Said> = { 'bucket.create': { name: 'once-only' } }
  const keyed = house.handlers.filter(({ operation }) => operation.idempotency === 'key')
  assert.ok(keyed.length > 0)
  for (const handler of keyed as Extract<Handler, { answer: unknown }>[]) {
    const { id } = handler.operation
    const input = inputs[id]
    assert.ok(input, `${id}: the test does not know what to ask`)
    const call: ApiCall = {
      ...{ actor: 'operator', tenant: 'demo', trace: 't', signal: new AbortController().signal },
      ...{ principal: undefined, house: true, expected: undefined, address: '127.0.0.1', headers: {} },
      ...{ method: 'POST', target: '/', body: new Uint8Array() },
      setCookie: () => {},
      once: { id: `wish of ${id}`, key: Buffer.alloc(32, 1) },
    }
    const first = await handler.answer(call, input)
    const { last: then } = await house.stated(last)
    // As after a process that died between doing and answering: the deed is known, the answer is not.
    assert.deepEqual(await handler.answer(call, input), first, `${id} does not go through once`)
    assert.deepEqual((await house.stated(then)).topics, [], `${id} happens twice`)
    last = then
  }
})
