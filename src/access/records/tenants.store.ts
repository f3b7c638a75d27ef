import { type Row, type Statement, sql } from '#kernel'
import { accessError } from '../errors.ts'
import { noteChange } from './changes.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

export type StandingState = 'active' | 'disabled'

/**
 * One customer of a gateway. `epoch` grows when everything that was given out before is revoked. `openToPublic`: its bucket
 * policies may let in whoever is on the network.
 */
export type Tenant = {
  id: string
  name: string
  state: StandingState
  epoch: number
  openToPublic: boolean
  createdAt: number
}

/** @throws tenant.exists */
export function* insertTenant(tenant: Tenant): Step<void> {
  if (yield* findTenant(tenant.id)) throw accessError('tenant.exists', { tenant: tenant.id })
  yield sql`INSERT INTO tenants (id, name, state, epoch, open_to_public, created_at)
    VALUES (${tenant.id}, ${tenant.name}, ${tenant.state}, ${tenant.epoch}, ${tenant.openToPublic ? 1 : 0}, ${tenant.createdAt})`
  yield* noteChange()
}

export function* findTenant(id: string): Step<Tenant | undefined> {
  const [row] = yield sql`SELECT * FROM tenants WHERE id = ${id}`
  return row && tenantOf(row)
}

/** @throws tenant.missing */
export function* getTenant(id: string): Step<Tenant> {
  const tenant = yield* findTenant(id)
  if (!tenant) throw accessError('tenant.missing', { tenant: id })
  return tenant
}

export function* listTenants(): Step<Tenant[]> {
  const rows = yield sql`SELECT * FROM tenants ORDER BY id`
  return rows.map(tenantOf)
}

/** Changes name, state or openness; the epoch only grows by `raiseTenantEpoch`. @throws tenant.missing */
export function* changeTenant(
  id: string,
  change: Partial<Pick<Tenant, 'name' | 'state' | 'openToPublic'>>,
): Step<Tenant> {
  const tenant = { ...(yield* getTenant(id)), ...change }
  yield sql`UPDATE tenants SET name = ${tenant.name}, state = ${tenant.state}, open_to_public = ${tenant.openToPublic ? 1 : 0}
    WHERE id = ${id}`
  yield* noteChange()
  return tenant
}

/** Ends every session and every temporary credential of the tenant. @throws tenant.missing */
export function* raiseTenantEpoch(id: string): Step<Tenant> {
  const tenant = yield* getTenant(id)
  yield sql`UPDATE tenants SET epoch = ${tenant.epoch + 1} WHERE id = ${id}`
  yield* noteChange()
  return { ...tenant, epoch: tenant.epoch + 1 }
}

function tenantOf(row: Row): Tenant {
  return {
    id: row.id as string,
    name: row.name as string,
    state: row.state as StandingState,
    epoch: row.epoch as number,
    openToPublic: row.open_to_public === 1,
    createdAt: row.created_at as number,
  }
}
