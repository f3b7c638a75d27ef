import { readAccessPolicy } from '../policy/read-policy.ts'
import {
  type AssumableRole,
  deleteAssumableRole as remove,
  insertAssumableRole,
  raiseRoleEpoch,
  setRoleTrust,
} from '../records/assumable-roles.store.ts'
import { getTenant } from '../records/tenants.store.ts'
import { deleteWebIssuer as removeIssuer, setWebIssuer as putIssuer } from '../records/web-issuers.store.ts'
import { type AccessPorts, act, digestOf, freshId, state, type Who } from './ports.ts'

/** Creates a role of STS. It may do nothing until it has a policy. @throws access-policy.invalid, assumable-role.exists */
export async function createAssumableRole(
  ports: AccessPorts,
  call: Who,
  { name, trust, longestSeconds }: { name: string; trust: string; longestSeconds: number },
): Promise<AssumableRole> {
  readAccessPolicy(trust, { on: 'trust' })
  const role: AssumableRole = {
    ...{ id: freshId(ports), tenant: call.tenant, name, trust, longestSeconds, epoch: 1 },
    createdAt: ports.clock.now(),
  }
  return act(ports, function* () {
    yield* getTenant(call.tenant)
    yield* insertAssumableRole(role)
    yield* state(ports, call, 'assumable.created', role.id, { name, trust: digestOf(trust) })
    return role
  })
}

/** Says anew who may assume a role. @throws access-policy.invalid, assumable-role.missing */
export async function trustAssumableRole(
  ports: AccessPorts,
  call: Who,
  { name, trust }: { name: string; trust: string },
): Promise<AssumableRole> {
  readAccessPolicy(trust, { on: 'trust' })
  return act(ports, function* () {
    const role = yield* setRoleTrust(call.tenant, name, trust)
    yield* state(ports, call, 'assumable.trusted', role.id, { trust: digestOf(trust) })
    return role
  })
}

/** Ends every temporary credential of a role. @throws assumable-role.missing */
export async function revokeAssumableRole(ports: AccessPorts, call: Who, name: string): Promise<AssumableRole> {
  return act(ports, function* () {
    const role = yield* raiseRoleEpoch(call.tenant, name)
    yield* state(ports, call, 'assumable.revoked', role.id, { epoch: role.epoch })
    return role
  })
}

/** @throws assumable-role.missing */
export async function deleteAssumableRole(ports: AccessPorts, call: Who, name: string): Promise<void> {
  await act(ports, function* () {
    const role = yield* remove(call.tenant, name)
    yield* state(ports, call, 'assumable.deleted', role.id, { name })
  })
}

/** Takes the tokens of an issuer from here on. @param keysUrl where its keys (JWKS) are */
export async function setWebIssuer(
  ports: AccessPorts,
  call: Who,
  { issuer, audiences, keysUrl }: { issuer: string; audiences: string[]; keysUrl: string },
): Promise<void> {
  await act(ports, function* () {
    yield* getTenant(call.tenant)
    yield* putIssuer({ tenant: call.tenant, issuer, audiences, keysUrl, createdAt: ports.clock.now() })
    yield* state(ports, call, 'issuer.set', issuer, { audiences: digestOf(JSON.stringify(audiences)) })
  })
}

/** @throws web-issuer.missing */
export async function deleteWebIssuer(ports: AccessPorts, call: Who, issuer: string): Promise<void> {
  await act(ports, function* () {
    yield* removeIssuer(call.tenant, issuer)
    yield* state(ports, call, 'issuer.deleted', issuer, {})
  })
}
