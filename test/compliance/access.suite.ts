import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  accessMigrations,
  findPersonById,
  getPerson,
  getTenant,
  insertPerson,
  insertTenant,
  lastChange,
  listPeople,
  type Person,
  raiseTenantEpoch,
  type Tenant,
} from '#access'
import { changePerson, deletePerson } from '../../src/access/records/people.store.ts'
import { type Database, type Migration, type Row, type Statement, sql } from '#kernel'

type Schema = { component: string; migrations: readonly Migration[] }
type Step<T> = Generator<Statement, T, Row[]>

const tenant = (id: string): Tenant => ({
  id,
  name: `The ${id}`,
  state: 'active',
  epoch: 1,
  openToPublic: false,
  createdAt: 1,
})
const person = (of: string, name: string, roles: Person['roles']): Person => ({
  id: `${of}-${name}`,
  tenant: of,
  name,
  displayName: name.toUpperCase(),
  email: undefined,
  roles,
  state: 'active',
  epoch: 1,
  createdAt: 1,
})

/** What the tables of access hold, on any database. */
export function accessSuite(
  name: string,
  make: () => Promise<{ open(schemas: readonly Schema[]): Promise<Database>; close(): Promise<void> }>,
) {
  describe(`access: ${name}`, () => {
    let made: Awaited<ReturnType<typeof make>>
    let database: Database
    const write = <T>(body: () => Step<T>) => database.transact(body)

    before(async () => {
      made = await make()
      database = await made.open([{ component: 'access', migrations: accessMigrations }])
      await write(function* () {
        for (const id of ['fjord', 'delta']) yield* insertTenant(tenant(id))
        yield* insertPerson(person('fjord', 'ada', ['owner', 'admin']))
        yield* insertPerson(person('delta', 'ada', ['owner']))
        yield* insertPerson(person('fjord', 'loader', ['machine']))
      })
    })
    after(async () => {
      await database.close()
      await made.close()
    })

    test('people are told apart by tenant, and nobody sees those of another', async () => {
      const found = await database.read(() => getPerson('fjord', 'ada'))
      assert.deepEqual(found, { ...person('fjord', 'ada', ['admin', 'owner']) })
      await assert.rejects(
        database.read(() => getPerson('delta', 'loader')),
        { code: 'person.missing' },
      )
      assert.deepEqual(
        (await database.read(() => listPeople('delta'))).map(({ id }) => id),
        ['delta-ada'],
      )
      await assert.rejects(
        write(() => insertPerson(person('fjord', 'ada', []))),
        { code: 'person.exists' },
      )
      await assert.rejects(
        write(() => insertTenant(tenant('fjord'))),
        { code: 'tenant.exists' },
      )
    })

    test('whatever requests are judged by moves the number of the last change', async () => {
      const changes: (() => Step<unknown>)[] = [
        () => raiseTenantEpoch('delta'),
        () => changePerson('fjord', 'loader', { state: 'disabled' }),
        () => insertPerson(person('delta', 'bo', ['clerk'])),
        () => deletePerson('delta', 'bo'),
      ]
      for (const change of changes) {
        const before = await database.read(lastChange)
        await write(change)
        assert.equal(await database.read(lastChange), before + 1)
      }
      assert.equal((await database.read(() => getTenant('delta'))).epoch, 2)
    })

    test('who loses a role or is disabled has a new epoch; who is only renamed keeps it', async () => {
      await write(() => insertPerson(person('fjord', 'cy', ['clerk', 'auditor'])))
      const renamed = await write(() => changePerson('fjord', 'cy', { displayName: 'Cyd', email: 'cy@fjord.example' }))
      assert.deepEqual([renamed.epoch, renamed.email], [1, 'cy@fjord.example'])
      const more = await write(() => changePerson('fjord', 'cy', { roles: ['auditor', 'clerk', 'operator'] }))
      assert.equal(more.epoch, 1)
      const fewer = await write(() => changePerson('fjord', 'cy', { roles: ['auditor'] }))
      assert.equal(fewer.epoch, 2)
      assert.deepEqual(await database.read(() => findPersonById('fjord-cy')), fewer)
    })

    test('the last owner stays', async () => {
      for (const change of [
        () => deletePerson('fjord', 'ada'),
        () => changePerson('fjord', 'ada', { roles: ['admin'] }),
        () => changePerson('fjord', 'ada', { state: 'disabled' }),
      ])
        await assert.rejects(write(change), { code: 'person.last-owner' })
      await write(() => insertPerson(person('fjord', 'eve', ['owner'])))
      await write(() => deletePerson('fjord', 'ada'))
      const left = await database.read(function* (): Step<Row[]> {
        return yield sql`SELECT person FROM person_roles WHERE person = ${'fjord-ada'}`
      })
      assert.deepEqual(left, [])
    })

    test('of two owners who each send the other away at once, one is refused', async () => {
      await write(() => insertTenant(tenant('twins')))
      await write(() => insertPerson(person('twins', 'a', ['owner'])))
      await write(() => insertPerson(person('twins', 'b', ['owner'])))
      const outcomes = await Promise.allSettled(['a', 'b'].map((one) => write(() => deletePerson('twins', one))))
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    })
  })
}
