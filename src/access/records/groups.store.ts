import { type Row, type Statement, sql } from '#kernel'
import { accessError } from '../errors.ts'
import { noteChange } from './changes.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** People of one tenant who share policies. */
export type Group = { id: string; tenant: string; name: string; createdAt: number }

/** @throws group.exists */
export function* insertGroup(group: Group): Step<void> {
  const [taken] = yield sql`SELECT id FROM people_groups WHERE tenant = ${group.tenant} AND name = ${group.name}`
  if (taken) throw accessError('group.exists', { group: group.name })
  yield sql`INSERT INTO people_groups (id, tenant, name, created_at)
    VALUES (${group.id}, ${group.tenant}, ${group.name}, ${group.createdAt})`
  yield* noteChange()
}

/** @throws group.missing, also for the group of another tenant */
export function* getGroup(tenant: string, name: string): Step<Group> {
  const [row] = yield sql`SELECT * FROM people_groups WHERE tenant = ${tenant} AND name = ${name}`
  if (!row) throw accessError('group.missing', { group: name })
  return groupOf(row)
}

export function* listGroups(tenant: string): Step<Group[]> {
  const rows = yield sql`SELECT * FROM people_groups WHERE tenant = ${tenant} ORDER BY name`
  return rows.map(groupOf)
}

/** The groups that somebody is in. */
export function* groupsOf(person: string): Step<Group[]> {
  const rows = yield sql`SELECT people_groups.* FROM people_groups
    JOIN memberships ON memberships.people_group = people_groups.id
    WHERE memberships.person = ${person} ORDER BY people_groups.name`
  return rows.map(groupOf)
}

/** Names of those who are in a group. */
export function* membersOf(group: string): Step<string[]> {
  const rows = yield sql`SELECT people.name FROM people JOIN memberships ON memberships.person = people.id
    WHERE memberships.people_group = ${group} ORDER BY people.name`
  return rows.map(({ name }) => name as string)
}

/** Puts somebody into a group; twice comes to the same as once. */
export function* addMember(group: string, person: string): Step<void> {
  yield sql`INSERT INTO memberships (people_group, person) VALUES (${group}, ${person}) ON CONFLICT DO NOTHING`
  yield* noteChange()
}

export function* removeMember(group: string, person: string): Step<void> {
  yield sql`DELETE FROM memberships WHERE people_group = ${group} AND person = ${person}`
  yield* noteChange()
}

/** Deletes a group with its policies; its people stay. @throws group.missing */
export function* deleteGroup(tenant: string, name: string): Step<Group> {
  const group = yield* getGroup(tenant, name)
  yield sql`DELETE FROM memberships WHERE people_group = ${group.id}`
  yield sql`DELETE FROM access_policies WHERE holder = ${group.id}`
  yield sql`DELETE FROM people_groups WHERE id = ${group.id}`
  yield* noteChange()
  return group
}

function groupOf(row: Row): Group {
  return {
    id: row.id as string,
    tenant: row.tenant as string,
    name: row.name as string,
    createdAt: row.created_at as number,
  }
}
