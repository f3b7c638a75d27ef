import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as access from '#access'
import { operations } from '#api'
import { PelagoError } from '#kernel'
import { defaultPolicy } from '#pool'
import { insertBucket } from '../../src/storage/index/buckets.store.ts'
import { accessOperations } from '../../src/roles/access-operations.ts'
import { gatewayOperations } from '../../src/roles/gateway-operations.ts'
import type { ApiCall, Handler } from '../../src/roles/handler.ts'
import { openAccessHouse } from './open-access.ts'

/** What the tenant `fjord` has; `delta` asks about it. */
let house: Awaited<ReturnType<typeof openAccessHouse>>
type Answering = Extract<Handler, { answer: unknown }>
let handlers: Answering[]
let key: string
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
  house = await openAccessHouse()
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
  key = (await access.createKey(acts, owner, { person: 'ada' })).key.id
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
        etags: 'md5',
      },
      policy: defaultPolicy,
    }),
  )
  await access.setBucketAccess(acts, owner, { bucket: 'papers', document: bucketDocument })
  const all = [
    ...accessOperations(acts),
    ...gatewayOperations({ clock: house.clock, storage: house.storage, directory: house.directory }),
  ]
  handlers = all.filter((handler): handler is Answering => 'answer' in handler)
})
after(() => house.close())

function callOf(tenant: string, kind: access.Principal['kind'] = 'session'): ApiCall {
  return {
    ...{ actor: 'a'.repeat(32), tenant, trace: 't', signal: new AbortController().signal },
    principal: { tenant, actor: 'a'.repeat(32), roles: ['owner'], kind },
    ...{ expected: undefined, address: '127.0.0.1', headers: {}, setCookie: () => {} },
  }
}

/** For every field that names something of a tenant: what `fjord` has, and what nobody has. */
const names = (id: string): Record<string, [theirs: string, nobodys: string]> => ({
  tenant: ['fjord', 'nowhere'],
  name: id.startsWith('group')
    ? ['team', 'none']
    : id.startsWith('role')
      ? ['job', 'none']
      : id.startsWith('bucket')
        ? ['papers', 'no-papers']
        : ['ada', 'none'],
  person: ['ada', 'none'],
  holder: ['ada', 'none'],
  key: [key, 'PELNONE'],
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
  email: 'a@b.example',
  displayName: 'A',
})
/** Operations that make something under a name of the asker's own, which says nothing about others. */
const making = new Set(['tenant.create', 'person.create', 'group.create', 'role.create', 'bucket.create', 'issuer.set'])

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
    if (operation.input.kind !== 'fields' || making.has(operation.id)) continue
    const fields = Object.keys(operation.input.of)
    const about = fields.filter((field) => field in names(operation.id) && field !== 'tenant')
    if (about.length === 0) continue
    const input = (at: 0 | 1) =>
      Object.fromEntries(
        fields
          .filter((field) => field !== 'tenant' || operation.path.includes('{tenant}'))
          .map((field) => {
            const name = names(operation.id)[field]?.[at]
            const value = name ?? plain(operation.id)[field] ?? (field === 'key' ? key : undefined)
            assert.ok(value !== undefined, `${operation.id}: the test does not know the field ${field}`)
            return [field, value]
          }),
      )
    const [theirs, nobodys] = [input(0), input(1)]
    const clean = (answer: unknown, given: Record<string, unknown>) =>
      about.reduce((text, field) => text.replaceAll(String(given[field]), `<${field}>`), JSON.stringify(answer))
    const [found, none] = [
      await outcome(handler, callOf('delta'), theirs),
      await outcome(handler, callOf('delta'), nobodys),
    ]
    assert.equal(clean(found, theirs), clean(none, nobodys), operation.id)
    assert.match(JSON.stringify(found), /"code":"[a-z.-]+\.missing"/, operation.id)
    asked++
  }
  assert.ok(asked >= 18, `${asked} operations were asked`)
  assert.deepEqual(await stateOf(), before, 'something was changed')
})

test('naming the other tenant helps nobody but whoever runs the gateway', async () => {
  for (const handler of handlers) {
    const { operation } = handler
    if (operation.input.kind !== 'fields' || !('tenant' in operation.input.of) || operation.id === 'tenant.create')
      continue
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
  assert.equal(shown.people.length, 2)
})

test('lists show what is one’s own', async () => {
  let asked = 0
  for (const handler of handlers) {
    const { operation } = handler
    if (!operation.id.endsWith('.list') || operation.path.includes('{')) continue
    const answer = JSON.stringify(await handler.answer(callOf('delta'), {}))
    for (const name of ['ada', 'team', key, 'papers', 'job', 'ci.example', 'fjord'])
      assert.ok(!answer.includes(`"${name}"`), `${operation.id} shows ${name}`)
    asked++
  }
  assert.ok(asked >= 6)
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

test('every operation about access is answered', () => {
  const answered = new Set(handlers.map(({ operation }) => operation.id))
  const wanted = Object.values(operations).filter(({ id }) =>
    /^(tenant|group|key|access|role|issuer|bucket\.access)\./.test(id),
  )
  for (const { id } of wanted) assert.ok(answered.has(id), id)
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
    }
  })
}
