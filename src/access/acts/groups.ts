import {
  addMember,
  deleteGroup as remove,
  getGroup,
  type Group,
  insertGroup,
  removeMember,
} from '../records/groups.store.ts'
import { getPerson } from '../records/people.store.ts'
import { getTenant } from '../records/tenants.store.ts'
import { type AccessPorts, act, freshId, state, type Who } from './ports.ts'

/** @throws group.exists */
export async function createGroup(ports: AccessPorts, call: Who, name: string): Promise<Group> {
  const group: Group = { id: freshId(ports), tenant: call.tenant, name, createdAt: ports.clock.now() }
  return act(ports, function* () {
    yield* getTenant(call.tenant)
    yield* insertGroup(group)
    yield* state(ports, call, 'group.created', group.id, { name })
    return group
  })
}

/** Deletes a group with its policies; its people stay. @throws group.missing */
export async function deleteGroup(ports: AccessPorts, call: Who, name: string): Promise<void> {
  await act(ports, function* () {
    const group = yield* remove(call.tenant, name)
    yield* state(ports, call, 'group.deleted', group.id, { name })
  })
}

/** Puts somebody into a group, or takes them out of it. @throws group.missing, person.missing */
export async function changeMembership(
  ports: AccessPorts,
  call: Who,
  { group: name, person: who, member }: { group: string; person: string; member: boolean },
): Promise<void> {
  await act(ports, function* () {
    const group = yield* getGroup(call.tenant, name)
    const person = yield* getPerson(call.tenant, who)
    yield* member ? addMember(group.id, person.id) : removeMember(group.id, person.id)
    yield* state(ports, call, member ? 'group.joined' : 'group.left', group.id, { person: person.id })
  })
}
