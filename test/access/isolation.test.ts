import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as access from '#access'
import { type Operation, operations } from '#api'
import { PelagoError } from '#kernel'
import { defaultPolicy } from '#pool'
import { insertPasskey } from '../../src/access/sign-in/passkeys.store.ts'
import { findRecovery, getPlan } from '../../src/access/sign-in/recoveries.store.ts'
import { findSessionById } from '../../src/access/sign-in/sessions.store.ts'
import type { ApiCall, Handler } from '../../src/roles/handler.ts'
import { jobsOf } from '../../src/work/job.store.ts'
import { insertBucket } from '../../src/storage/index/buckets.store.ts'
import { openOperations } from './open-operations.ts'

/** What the tenant `fjord` has; `delta` asks about it. */
let house: Awaited<ReturnType<typeof openOperations>>
type Answering = Extract<Handler, { answer: unknown }>
let handlers: Answering[]
/** What there is of `fjord` that only it may name. */
const theirs = {
  key: '',
  job: '',
  session: '',
  code: '',
  recovery: '',
  passkey: Buffer.alloc(16, 3).toString('base64url'),
}
const owner = { actor: 'operator', tenant: 'fjord' }
const document = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Deny', Action: 's3:*', Resource: '*' },
})
const bucketDocument = document.replace('{"Effect"', '{"Principal":"*","Effect"')
const trust = JSON.stringify({
  Statement: { Effect: 'Allow', Principal: { AWS: 'fjord' }, Action: 'sts:AssumeRole' },
})

before(async () => {
  house = await openOperations({ tenant: 'fjord', origin: 'https://fjord.example', rp: 'fjord.example' })
  const { acts } = house.access
  for (const id of ['fjord', 'delta']) {
    await access.createTenant(acts, owner, { id })
    await access.createPerson(acts, { ...owner, tenant: id }, { name: `${id}-owner`, roles: ['owner'] })
  }
  await access.createPerson(acts, owner, { name: 'ada', roles: ['machine'] })
  await access.createGroup(acts, owner, 'team')
  await access.changeMembership(acts, owner, { group: 'team', person: 'ada', member: true })
  for (const holder of [
    { kind: 'person', name: 'ada' },
    { kind: 'group', name: 'team' },
  ] as const)
    await access.setAccessPolicy(acts, owner, { holder, name: 'main', document })
  theirs.key = (await access.createKey(acts, owner, { person: 'ada' })).key.id
  theirs.job = await house.job('fjord')
  await house.job('')
  await access.createAssumableRole(acts, owner, { name: 'job', trust, longestSeconds: 3600 })
  await access.setWebIssuer(acts, owner, {
    issuer: 'https://ci.example',
    audiences: ['x'],
    keysUrl: 'https://ci.example/k',
  })
  await house.index.transact(() =>
    insertBucket({
      ...{
        id: 'b'.repeat(32),
        name: 'papers',
        tenant: 'fjord',
        createdAt: 1,
        policyEpoch: 1,
        revision: 1,
        keyFloor: 0,
        quotas: 0,
        etags: 'md5',
      },
      policy: defaultPolicy,
    }),
  )
  await access.setBucketAccess(acts, owner, { bucket: 'papers', document: bucketDocument })
  await signIn()
  handlers = house.handlers.filter((handler): handler is Answering => 'answer' in handler)
})

/** Somebody of `fjord` with a session, a passkey, a recovery, and a program that waits to be approved. */
async function signIn() {
  const { signIn: ports, index, clock } = house
  const ada = callOf('fjord', 'session', 'ada')
  const begin = () => access.beginLogin(ports, ada, { label: 'theirs', address: '192.0.2.1' })
  const { code, device } = await begin()
  await access.approveLogin(ports, ada, { code, approve: true })
  theirs.session = (await access.finishLogin(ports, ada, { device })).session.id
  theirs.code = (await begin()).code
  for (const name of ['ben', 'cleo']) await access.createPerson(house.access.acts, owner, { name, roles: ['clerk'] })
  await access.setRecoveryPlan(ports, ada, { needed: 2, helpers: ['ada', 'ben', 'cleo'] })
  theirs.recovery = (await access.requestRecovery(ports, ada, { person: 'ada', address: '192.0.2.1' })).id
  const person = await index.read(() => access.getPerson('fjord', 'ada'))
  await index.transact(() =>
    insertPasskey({
      ...{ id: theirs.passkey, tenant: 'fjord', person: person.id, name: 'theirs', publicKey: Buffer.alloc(32) },
      ...{ algorithm: -8, aaguid: '', counter: 0, backupEligible: false, backedUp: false, transports: [] },
      ...{ createdAt: clock.now(), usedAt: undefined, regressedAt: undefined },
    }),
  )
}
after(() => house.close())

function callOf(tenant: string, kind: access.Principal['kind'] = 'session', actor = `${tenant}-owner`): ApiCall {
  return {
    ...{ actor, tenant, trace: 't', signal: new AbortController().signal },
    principal: { tenant, actor, roles: ['owner'], kind, session: 'the-session-that-asks' },
    ...{ house: kind === 'local', expected: undefined, address: '127.0.0.1', headers: {}, setCookie: () => {} },
    ...{ method: 'POST', target: '/', body: new Uint8Array() },
  }
}

/** For every field that names something of a tenant: what `fjord` has, and what nobody has. */
const names = (id: string): Record<string, [theirs: string | string[], nobodys: string | string[]]> => ({
  tenant: ['fjord', 'nowhere'],
  name: id.startsWith('group')
    ? ['team', 'none']
    : id.startsWith('role')
      ? ['job', 'none']
      : /^(bucket|epoch|quota)/.test(id)
        ? ['papers', 'no-papers']
        : ['ada', 'none'],
  person: ['ada', 'none'],
  holder: ['ada', 'none'],
  key: [theirs.key, 'PELNONE'],
  job: [theirs.job, 'f'.repeat(28)],
  code: [theirs.code, 'ZZZZ-ZZZZ'],
  id: id.startsWith('session')
    ? [theirs.session, 'f'.repeat(32)]
    : id.startsWith('passkey')
      ? [theirs.passkey, 'A'.repeat(22)]
      : [theirs.recovery, 'f'.repeat(32)],
  helpers: [
    ['ada', 'ben', 'cleo'],
    ['none-1', 'none-2', 'none-3'],
  ],
  bucket: ['papers', 'no-papers'],
  issuer: ['https://ci.example', 'https://none.example'],
})
/** Fields that say what is to be, not about whom. */
const plain = (id: string): Record<string, unknown> => ({
  state: 'disabled',
  public: true,
  roles: ['clerk'],
  kind: 'person',
  document: id.startsWith('bucket') ? bucketDocument : document,
  trust,
  audiences: ['x'],
  keysUrl: 'https://ci.example/k',
  policy: { version: 1 },
  etags: 'opaque',
  longestSeconds: 900,
  note: 'n',
  needed: 2,
  bytes: 1000,
  objects: 10,
  email: 'a@b.example',
  displayName: 'A',
})
/** Operations that name nothing of another, each with why. Whoever adds one says here which kind it is. */
const others: Record<string, 'makes' | 'lists' | 'self' | 'public'> = {
  // Under a name of the asker's own, which says nothing about others.
  ...kind('makes', 'person.create', 'group.create', 'role.create', 'bucket.create', 'issuer.set'),
  ...kind(
    'lists',
    'tenant.list',
    'person.list',
    'group.list',
    'key.list',
    'role.list',
    'issuer.list',
    'bucket.list',
    'erasure.list',
  ),
  ...kind(
    'lists',
    'job.list',
    'session.list',
    'passkey.list',
    'recovery.list',
    'recovery-plan.get',
    'notice.list',
    'health.get',
    'quota.list',
  ),
  // What is stated of others is hidden; that it is there is not.
  ...kind('lists', 'log.list'),
  ...kind('public', 'log.prove', 'log.head.list', 'log.get'),
  // Providers are everybody's, and those of the demo nobody's.
  ...kind('public', 'policy.explain', 'demo.provider.stop', 'demo.provider.start'),
  // About whoever asks, known by his proof alone.
  ...kind('self', 'session.get', 'session.sign-out', 'passkey.begin', 'passkey.create'),
}
function kind<K>(as: K, ...ids: string[]): Record<string, K> {
  return Object.fromEntries(ids.map((id) => [id, as]))
}

async function outcome({ answer }: Answering, call: ApiCall, input: Record<string, unknown>): Promise<unknown> {
  try {
    return await answer(call, input)
  } catch (error) {
    if (!(error instanceof PelagoError)) throw error
    return { code: error.code, message: error.message }
  }
}

test('whatever another tenant names of this one, the answer is as if it did not exist', async () => {
  const before = await stateOf()
  let asked = 0
  for (const handler of handlers) {
    const { operation } = handler
    if (operation.input.kind !== 'fields' || operation.reach !== 'tenant' || operation.id in others) continue
    const fields = Object.keys(operation.input.of)
    const about = fields.filter(
      (field) => field in names(operation.id) && (field !== 'tenant' || operation.path.includes('{tenant}')),
    )
    assert.ok(about.length > 0, `${operation.id}: the test does not know whom it is about`)
    const input = (at: 0 | 1) =>
      Object.fromEntries(
        fields
          .filter((field) => field !== 'tenant' || operation.path.includes('{tenant}'))
          .map((field) => {
            const name = names(operation.id)[field]?.[at]
            const value = name ?? plain(operation.id)[field]
            assert.ok(value !== undefined, `${operation.id}: the test does not know the field ${field}`)
            return [field, value]
          }),
      )
    const [theirs, nobodys] = [input(0), input(1)]
    const clean = (answer: unknown, given: Record<string, unknown>) =>
      about
        .flatMap((field) => [given[field]].flat().map((value) => [String(value), field] as const))
        .reduce((text, [value, field]) => text.replaceAll(value, `<${field}>`), JSON.stringify(answer))
    const [found, none] = [
      await outcome(handler, callOf('delta'), theirs),
      await outcome(handler, callOf('delta'), nobodys),
    ]
    assert.equal(clean(found, theirs), clean(none, nobodys), operation.id)
    assert.match(JSON.stringify(found), /"code":"([a-z.-]+\.missing|login\.code)"/, operation.id)
    asked++
  }
  assert.ok(asked >= 30, `${asked} operations were asked`)
  assert.deepEqual(await stateOf(), before, 'something was changed')
})

test('naming the other tenant helps nobody but whoever runs the gateway', async () => {
  for (const handler of handlers) {
    const { operation } = handler
    if (operation.input.kind !== 'fields' || !('tenant' in operation.input.of) || operation.reach !== 'tenant') continue
    const input = Object.fromEntries(
      Object.keys(operation.input.of).map((field) => [
        field,
        names(operation.id)[field]?.[0] ?? plain(operation.id)[field],
      ]),
    )
    const answer = (await outcome(handler, callOf('delta'), input)) as { code?: string }
    assert.equal(answer.code, 'tenant.missing', operation.id)
  }
  const list = handlers.find(({ operation }) => operation.id === 'person.list') as Answering
  const shown = (await list.answer(callOf('delta', 'local'), { tenant: 'fjord' })) as { people: unknown[] }
  assert.equal(shown.people.length, 4)
})

test('lists show what is one’s own', async () => {
  for (const { operation, answer } of handlers) {
    if (others[operation.id] !== 'lists') continue
    const said = JSON.stringify(await answer(callOf('delta'), {}))
    for (const name of ['ada', 'ben', 'team', 'papers', 'job', 'ci.example', 'fjord', ...Object.values(theirs)])
      assert.ok(!said.includes(`"${name}"`) && !said.includes(`/${name}"`), `${operation.id} shows ${name}: ${said}`)
  }
})

test('a tenant hears of its own bytes and jobs; whoever runs the gateway hears of all', async () => {
  const ask = async (id: string, call: ApiCall) => {
    const handler = handlers.find(({ operation }) => operation.id === id) as Answering
    return (await handler.answer(call, {})) as Record<string, unknown[]> & { providers: { quotaBytes: unknown }[] }
  }
  const jobs = async (call: ApiCall) => (await ask('job.list', call)).jobs?.length
  assert.deepEqual(
    [await jobs(callOf('delta')), await jobs(callOf('fjord')), await jobs(callOf('delta', 'local'))],
    [0, 1, 2],
  )
  const { memory, repairing, providers } = await ask('health.get', callOf('delta'))
  assert.deepEqual([memory, repairing], [{}, null])
  assert.ok(providers.every(({ quotaBytes }) => quotaBytes === null))
  assert.notDeepEqual((await ask('health.get', callOf('delta', 'local'))).memory, {})
})

test('of another tenant’s entries in the log the number and the hash are known, and nothing else', async () => {
  const at = async (id: string, input: object) =>
    outcome(handlers.find(({ operation }) => operation.id === id) as Answering, callOf('delta'), { ...input })
  const { entries } = (await at('log.list', {})) as {
    entries: { sequence: number; entry: { tenant: string } | null }[]
  }
  const hidden = entries.filter(({ entry }) => entry === null)
  assert.ok(hidden.length > 5 && entries.every(({ entry }) => entry === null || ['', 'delta'].includes(entry.tenant)))
  const proof = (await at('log.prove', { sequence: hidden[0]?.sequence })) as { code?: string }
  assert.equal(proof.code, 'log.hidden')
})

test('none is forgotten: each operation of a gateway is answered and its reach is looked at', async () => {
  const all: Operation<unknown, unknown>[] = Object.values(operations)
  const own = all.filter(({ server, id }) => (server === 'gateway' || server === 'every') && id !== 'api.describe')
  assert.deepEqual(
    own.map(({ id }) => id).filter((id) => !house.handlers.some(({ operation }) => operation.id === id)),
    [],
    'an operation that the test does not answer',
  )
  for (const { id, reach, input, stream } of own) {
    const named = input.kind === 'fields' && 'tenant' in input.of
    if (id in others) assert.equal(reach, 'tenant', id)
    // Whoever is nobody yet is so where he asks; he names no tenant. And what a stream tells is what a list or a state tells.
    if (reach === 'open') assert.ok(!named, id)
    if (stream)
      assert.ok(
        own.some((other) => [`${id.split('.')[0]}.list`, `${id.split('.')[0]}.get`].includes(other.id)),
        id,
      )
  }
})

test('a stream shows the same as the state that it is of', async () => {
  for (const handler of house.handlers) {
    if (!('events' in handler)) continue
    const stop = new AbortController()
    const events = handler.events({ ...callOf('delta'), signal: stop.signal }, {}, undefined)
    for await (const { data } of events) {
      const said = JSON.stringify(data)
      assert.ok(!said.includes(theirs.job) && !said.includes('fjord'), handler.operation.id)
      break
    }
    stop.abort()
  }
})

test('an admin does nothing to owners', async () => {
  const call = callOf('fjord')
  const admin = { ...call, principal: { ...call.principal, roles: ['admin'] } } as ApiCall
  const ownersKey = (await access.createKey(house.access.acts, owner, { person: 'fjord-owner' })).key.id
  const tries: [id: string, input: Record<string, unknown>][] = [
    ['person.set', { name: 'fjord-owner', roles: ['clerk'] }],
    ['person.set', { name: 'ada', roles: ['owner'] }],
    ['person.create', { name: 'mine', roles: ['owner'] }],
    ['person.delete', { name: 'fjord-owner' }],
    ['person.revoke', { name: 'fjord-owner' }],
    ['key.create', { person: 'fjord-owner' }],
    ['key.set', { key: ownersKey, state: 'disabled' }],
    ['key.delete', { key: ownersKey }],
    ['group.add', { name: 'team', person: 'fjord-owner' }],
    ['access.policy.set', { kind: 'person', holder: 'fjord-owner', name: 'main', document }],
  ]
  for (const [id, input] of tries) {
    const handler = handlers.find(({ operation }) => operation.id === id) as Answering
    assert.equal(((await outcome(handler, admin, input)) as { code?: string }).code, 'person.owner', id)
  }
})

async function stateOf() {
  return house.index.read(function* () {
    return {
      people: yield* access.listPeople('fjord'),
      groups: yield* access.listGroups('fjord'),
      keys: yield* access.listKeys('fjord'),
      roles: yield* access.listAssumableRoles('fjord'),
      issuers: yield* access.listWebIssuers('fjord'),
      tenant: yield* access.getTenant('fjord'),
      plan: yield* getPlan('fjord'),
      session: yield* findSessionById('fjord', theirs.session),
      recovery: yield* findRecovery('fjord', theirs.recovery),
      jobs: yield* jobsOf('fjord', undefined, 10),
    }
  })
}
