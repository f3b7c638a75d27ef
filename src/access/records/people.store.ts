import { type Role, type Row, roleNames, type Statement, sql } from '#kernel'
import { accessError } from '../errors.ts'
import { noteChange } from './changes.store.ts'
import type { StandingState } from './tenants.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** What somebody is for a tenant. `machine` is a program, which signs in with keys only. */
export const personRoles = roleNames
export type PersonRole = Role

/**
 * Somebody, or some program, of one tenant. `name` is unique within the tenant and what policies call them. `epoch` grows when
 * everything that was given out to them before is revoked.
 */
export type Person = {
  id: string
  tenant: string
  name: string
  displayName: string
  email: string | undefined
  roles: PersonRole[]
  state: StandingState
  epoch: number
  createdAt: number
}

/** @throws person.exists */
export function* insertPerson(person: Person): Step<void> {
  if (yield* findPerson(person.tenant, person.name)) throw accessError('person.exists', { person: person.name })
  yield sql`INSERT INTO people (id, tenant, name, display_name, email, state, epoch, created_at)
    VALUES (${person.id}, ${person.tenant}, ${person.name}, ${person.displayName}, ${person.email ?? null}, ${person.state},
      ${person.epoch}, ${person.createdAt})`
  yield* insertRoles(person.id, person.roles)
  yield* noteChange()
}

export function* findPerson(tenant: string, name: string): Step<Person | undefined> {
  const [row] = yield sql`SELECT * FROM people WHERE tenant = ${tenant} AND name = ${name}`
  return row && (yield* personOf(row))
}

/** @throws person.missing, also for the person of another tenant */
export function* getPerson(tenant: string, name: string): Step<Person> {
  const person = yield* findPerson(tenant, name)
  if (!person) throw accessError('person.missing', { person: name })
  return person
}

export function* findPersonById(id: string): Step<Person | undefined> {
  const [row] = yield sql`SELECT * FROM people WHERE id = ${id}`
  return row && (yield* personOf(row))
}

export function* listPeople(tenant: string): Step<Person[]> {
  const rows = yield sql`SELECT * FROM people WHERE tenant = ${tenant} ORDER BY name`
  const people: Person[] = []
  for (const row of rows) people.push(yield* personOf(row))
  return people
}

/**
 * Changes who somebody is. Another set of roles or a state raises the epoch, because what was given out stood on the old ones.
 * @throws person.missing, person.last-owner when nobody would be left who owns the tenant
 */
export function* changePerson(
  tenant: string,
  name: string,
  change: Partial<Pick<Person, 'displayName' | 'email' | 'roles' | 'state'>>,
): Step<Person> {
  const before = yield* getPerson(tenant, name)
  const after = { ...before, ...change }
  const owned = isOwner(before) && !isOwner(after)
  if (owned) yield* checkOtherOwner(before)
  const weaker = after.state !== before.state || before.roles.some((role) => !after.roles.includes(role))
  if (weaker) after.epoch++
  yield sql`UPDATE people SET display_name = ${after.displayName}, email = ${after.email ?? null}, state = ${after.state},
    epoch = ${after.epoch} WHERE id = ${before.id}`
  if (change.roles) {
    yield sql`DELETE FROM person_roles WHERE person = ${before.id}`
    yield* insertRoles(before.id, after.roles)
  }
  yield* noteChange()
  return after
}

/** Ends every session and every temporary credential of a person. @throws person.missing */
export function* raisePersonEpoch(tenant: string, name: string): Step<Person> {
  const person = yield* getPerson(tenant, name)
  yield sql`UPDATE people SET epoch = ${person.epoch + 1} WHERE id = ${person.id}`
  yield* noteChange()
  return { ...person, epoch: person.epoch + 1 }
}

/** Deletes a person with their keys, policies and memberships. @throws person.missing, person.last-owner */
export function* deletePerson(tenant: string, name: string): Step<Person> {
  const person = yield* getPerson(tenant, name)
  if (isOwner(person)) yield* checkOtherOwner(person)
  yield sql`DELETE FROM access_keys WHERE person = ${person.id}`
  yield sql`DELETE FROM access_policies WHERE holder = ${person.id}`
  yield sql`DELETE FROM memberships WHERE person = ${person.id}`
  yield sql`DELETE FROM person_roles WHERE person = ${person.id}`
  yield sql`DELETE FROM people WHERE id = ${person.id}`
  yield* noteChange()
  return person
}

const isOwner = ({ roles, state }: Person) => state === 'active' && roles.includes('owner')

function* checkOtherOwner(person: Person): Step<void> {
  const [other] = yield sql`SELECT people.id FROM people JOIN person_roles ON person_roles.person = people.id
    WHERE people.tenant = ${person.tenant} AND people.state = 'active' AND person_roles.role = 'owner'
      AND people.id <> ${person.id} LIMIT 1`
  if (!other) throw accessError('person.last-owner', { person: person.name })
}

function* insertRoles(person: string, roles: readonly PersonRole[]): Step<void> {
  for (const role of new Set(roles)) yield sql`INSERT INTO person_roles (person, role) VALUES (${person}, ${role})`
}

function* personOf(row: Row): Step<Person> {
  const id = row.id as string
  const roles = yield sql`SELECT role FROM person_roles WHERE person = ${id} ORDER BY role`
  return {
    id,
    tenant: row.tenant as string,
    name: row.name as string,
    displayName: row.display_name as string,
    email: (row.email as string | null) ?? undefined,
    roles: roles.map(({ role }) => role as PersonRole),
    state: row.state as StandingState,
    epoch: row.epoch as number,
    createdAt: row.created_at as number,
  }
}
