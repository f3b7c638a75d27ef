import {
  changeTenant as change,
  insertTenant,
  raiseTenantEpoch,
  type StandingState,
  type Tenant,
} from '../records/tenants.store.ts'
import { type AccessPorts, act, state, type Who } from './ports.ts'

/** Creates a tenant, closed to the public, with nobody in it. @throws tenant.exists */
export async function createTenant(
  ports: AccessPorts,
  call: Who,
  { id, name = id }: { id: string; name?: string | undefined },
): Promise<Tenant> {
  const tenant: Tenant = {
    id,
    name,
    state: 'active',
    epoch: 1,
    openToPublic: false,
    createdAt: ports.clock.now(),
  }
  return act(ports, function* () {
    yield* insertTenant(tenant)
    yield* state(ports, { ...call, tenant: id }, 'tenant.created', id, {})
    return tenant
  })
}

/** Says whether a tenant may do anything, and whether its buckets' policies may let in everybody. @throws tenant.missing */
export async function changeTenant(
  ports: AccessPorts,
  call: Who,
  { id, ...changes }: { id: string; state?: StandingState | undefined; openToPublic?: boolean | undefined },
): Promise<Tenant> {
  return act(ports, function* () {
    const tenant = yield* change(id, {
      ...(changes.state && { state: changes.state }),
      ...(changes.openToPublic !== undefined && { openToPublic: changes.openToPublic }),
    })
    const facts = { state: tenant.state, public: tenant.openToPublic ? ('yes' as const) : ('no' as const) }
    yield* state(ports, { ...call, tenant: id }, 'tenant.changed', id, facts)
    return tenant
  })
}

/** Ends every session and every temporary credential of a tenant; access keys stay. @throws tenant.missing */
export async function revokeTenant(ports: AccessPorts, call: Who, id: string): Promise<Tenant> {
  return act(ports, function* () {
    const tenant = yield* raiseTenantEpoch(id)
    yield* state(ports, { ...call, tenant: id }, 'tenant.revoked', id, { epoch: tenant.epoch })
    return tenant
  })
}
