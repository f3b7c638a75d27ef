import { type Row, type Statement, sql } from '#kernel'
import { accessError } from '../errors.ts'
import { noteChange } from './changes.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

/**
 * A role of STS: whoever its trust policy names gets temporary credentials with the role's policies. Not to be taken for what
 * people are in a tenant.
 */
export type AssumableRole = {
  id: string
  tenant: string
  name: string
  /** Policy that says who may assume it. */
  trust: string
  longestSeconds: number
  epoch: number
  createdAt: number
}

/** @throws assumable-role.exists */
export function* insertAssumableRole(role: AssumableRole): Step<void> {
  if (yield* findAssumableRole(role.tenant, role.name)) throw accessError('assumable-role.exists', { role: role.name })
  yield sql`INSERT INTO assumable_roles (id, tenant, name, trust, longest_seconds, epoch, created_at)
    VALUES (${role.id}, ${role.tenant}, ${role.name}, ${role.trust}, ${role.longestSeconds}, ${role.epoch}, ${role.createdAt})`
  yield* noteChange()
}

export function* findAssumableRole(tenant: string, name: string): Step<AssumableRole | undefined> {
  const [row] = yield sql`SELECT * FROM assumable_roles WHERE tenant = ${tenant} AND name = ${name}`
  return row && roleOf(row)
}

export function* findAssumableRoleById(id: string): Step<AssumableRole | undefined> {
  const [row] = yield sql`SELECT * FROM assumable_roles WHERE id = ${id}`
  return row && roleOf(row)
}

/** @throws assumable-role.missing, also for the role of another tenant */
export function* getAssumableRole(tenant: string, name: string): Step<AssumableRole> {
  const role = yield* findAssumableRole(tenant, name)
  if (!role) throw accessError('assumable-role.missing', { role: name })
  return role
}

export function* listAssumableRoles(tenant: string): Step<AssumableRole[]> {
  const rows = yield sql`SELECT * FROM assumable_roles WHERE tenant = ${tenant} ORDER BY name`
  return rows.map(roleOf)
}

/** Another trust policy ends nothing that was given out; `raiseRoleEpoch` does. @throws assumable-role.missing */
export function* setRoleTrust(tenant: string, name: string, trust: string): Step<AssumableRole> {
  const role = yield* getAssumableRole(tenant, name)
  yield sql`UPDATE assumable_roles SET trust = ${trust} WHERE id = ${role.id}`
  yield* noteChange()
  return { ...role, trust }
}

/** Ends every temporary credential of the role. @throws assumable-role.missing */
export function* raiseRoleEpoch(tenant: string, name: string): Step<AssumableRole> {
  const role = yield* getAssumableRole(tenant, name)
  yield sql`UPDATE assumable_roles SET epoch = ${role.epoch + 1} WHERE id = ${role.id}`
  yield* noteChange()
  return { ...role, epoch: role.epoch + 1 }
}

/** @throws assumable-role.missing */
export function* deleteAssumableRole(tenant: string, name: string): Step<AssumableRole> {
  const role = yield* getAssumableRole(tenant, name)
  yield sql`DELETE FROM access_policies WHERE holder = ${role.id}`
  yield sql`DELETE FROM assumable_roles WHERE id = ${role.id}`
  yield* noteChange()
  return role
}

function roleOf(row: Row): AssumableRole {
  return {
    id: row.id as string,
    tenant: row.tenant as string,
    name: row.name as string,
    trust: row.trust as string,
    longestSeconds: row.longest_seconds as number,
    epoch: row.epoch as number,
    createdAt: row.created_at as number,
  }
}
