import {
  changePerson as change,
  deletePerson as remove,
  getPerson,
  insertPerson,
  type Person,
  type PersonRole,
  raisePersonEpoch,
} from '../records/people.store.ts'
import { getTenant, type StandingState } from '../records/tenants.store.ts'
import { type AccessPorts, act, freshId, state, type Who } from './ports.ts'

/** Makes a person, or a program, known in a tenant. @throws tenant.missing, person.exists */
export async function createPerson(
  ports: AccessPorts,
  call: Who,
  input: { name: string; displayName?: string | undefined; email?: string | undefined; roles: PersonRole[] },
): Promise<Person> {
  const { name, displayName = name, email, roles } = input
  const person: Person = {
    ...{ id: freshId(ports), tenant: call.tenant, name, displayName, email },
    roles: [...new Set(roles)].sort(),
    ...{ state: 'active', epoch: 1, createdAt: ports.clock.now() },
  }
  return act(ports, function* () {
    yield* getTenant(call.tenant)
    yield* insertPerson(person)
    yield* state(ports, call, 'person.created', person.id, { name })
    for (const role of person.roles) yield* state(ports, call, 'person.granted', person.id, { role })
    return person
  })
}

/** Gives and takes roles, enables and disables. @throws person.missing, person.last-owner */
export async function changePerson(
  ports: AccessPorts,
  call: Who,
  { name, roles, state: to }: { name: string; roles?: PersonRole[] | undefined; state?: StandingState | undefined },
): Promise<Person> {
  return act(ports, function* () {
    const before = yield* getPerson(call.tenant, name)
    const after = yield* change(call.tenant, name, {
      ...(roles && { roles: [...new Set(roles)].sort() }),
      ...(to && { state: to }),
    })
    for (const role of after.roles)
      if (!before.roles.includes(role)) yield* state(ports, call, 'person.granted', before.id, { role })
    for (const role of before.roles)
      if (!after.roles.includes(role)) yield* state(ports, call, 'person.withdrawn', before.id, { role })
    if (after.state !== before.state) yield* state(ports, call, 'person.state', before.id, { state: after.state })
    return after
  })
}

/** Ends every session and every temporary credential of somebody; access keys stay. @throws person.missing */
export async function revokePerson(ports: AccessPorts, call: Who, name: string): Promise<Person> {
  return act(ports, function* () {
    const person = yield* raisePersonEpoch(call.tenant, name)
    yield* state(ports, call, 'person.revoked', person.id, { epoch: person.epoch })
    return person
  })
}

/** Deletes somebody with their keys and policies. @throws person.missing, person.last-owner */
export async function deletePerson(ports: AccessPorts, call: Who, name: string): Promise<void> {
  await act(ports, function* () {
    const person = yield* remove(call.tenant, name)
    yield* state(ports, call, 'person.deleted', person.id, { name })
  })
}
