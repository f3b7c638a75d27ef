import { accessError } from '../errors.ts'
import { countKeys, deleteKey as remove, insertKey, type KeptKey, setKeyState } from '../records/keys.store.ts'
import { findPerson, getPerson, insertPerson, type Person } from '../records/people.store.ts'
import { insertTenant, listTenants, type StandingState } from '../records/tenants.store.ts'
import { sealSecret } from '../secrets/keyring.ts'
import { secretPurpose } from '../standing.ts'
import { type AccessPorts, act, freshId, state, type Who } from './ports.ts'

/** Access keys that somebody may have at the same time. */
const keysMost = 20
const secretBytes = 30
const nonceBytes = 12
/** 32 letters of which none looks like another. */
const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** An id for an access key. @param prefix three letters that say of which kind it is */
export function freshKeyId({ random }: Pick<AccessPorts, 'random'>, prefix: string): string {
  return `${prefix}${[...random.bytes(17)].map((byte) => letters[byte & 31]).join('')}`
}

/**
 * Makes an access key for somebody.
 * @returns the key with its secret, which nobody is told again
 * @throws person.missing, key.many
 */
export async function createKey(
  ports: AccessPorts,
  call: Who,
  { person: name, note = '' }: { person: string; note?: string | undefined },
): Promise<{ key: KeptKey; secret: string }> {
  const id = freshKeyId(ports, 'PEL')
  const secret = Buffer.from(ports.random.bytes(secretBytes)).toString('base64url')
  const sealed = await seal(ports, id, secret)
  const key = await act(ports, function* () {
    const person = yield* getPerson(call.tenant, name)
    if ((yield* countKeys(person.id)) >= keysMost) throw accessError('key.many', { person: name, most: keysMost })
    const made = keyOf(ports, { id, person, note, ...sealed })
    yield* insertKey(made)
    yield* state(ports, call, 'key.created', id, { person: person.id })
    return made
  })
  return { key, secret }
}

/** Says whether a key is good. @throws key.missing */
export async function changeKey(ports: AccessPorts, call: Who, id: string, to: StandingState): Promise<KeptKey> {
  return act(ports, function* () {
    const key = yield* setKeyState(call.tenant, id, to)
    yield* state(ports, call, 'key.state', id, { person: key.person, state: to })
    return key
  })
}

/** Deletes a key; what was assumed with it ends. @throws key.missing */
export async function deleteKey(ports: AccessPorts, call: Who, id: string): Promise<void> {
  await act(ports, function* () {
    const key = yield* remove(call.tenant, id)
    yield* state(ports, call, 'key.deleted', id, { person: key.person })
  })
}

/**
 * Takes in keys that were made before there was a database for them, each for an owner of its tenant. Only into a database that
 * has no tenant yet: what was deleted later does not come back.
 * @returns how many were taken in
 */
export async function takeInKeys(
  ports: AccessPorts,
  keys: readonly { id: string; secret: string; tenant: string; actor: string }[],
): Promise<number> {
  const sealed = await Promise.all(keys.map(async (key) => ({ ...key, sealed: await seal(ports, key.id, key.secret) })))
  return act(ports, function* () {
    if ((yield* listTenants()).length > 0) return 0
    for (const id of new Set(keys.map(({ tenant }) => tenant))) {
      const createdAt = ports.clock.now()
      yield* insertTenant({ ...{ id, name: id, state: 'active', epoch: 1 }, openToPublic: false, createdAt })
      yield* state(ports, { actor: 'system', tenant: id }, 'tenant.created', id, {})
    }
    for (const { id, tenant, actor, sealed: secret } of sealed) {
      const call = { actor: 'system', tenant }
      let person = yield* findPerson(tenant, actor)
      if (!person) {
        person = {
          ...{ id: freshId(ports), tenant, name: actor, displayName: actor, email: undefined, roles: ['owner'] },
          ...{ state: 'active', epoch: 1, createdAt: ports.clock.now() },
        }
        yield* insertPerson(person)
        yield* state(ports, call, 'person.created', person.id, { name: actor })
        yield* state(ports, call, 'person.granted', person.id, { role: 'owner' })
      }
      yield* insertKey(keyOf(ports, { id, person, note: 'first key', ...secret }))
      yield* state(ports, call, 'key.created', id, { person: person.id })
    }
    return keys.length
  })
}

type Sealed = { keyring: number; secret: Uint8Array }

async function seal({ keyring, random }: AccessPorts, id: string, secret: string): Promise<Sealed> {
  const { keyring: number, key } = await keyring.current()
  return {
    keyring: number,
    secret: sealSecret(key, secretPurpose(id), random.bytes(nonceBytes), Buffer.from(secret)),
  }
}

function keyOf(
  { clock }: AccessPorts,
  { id, person, note, keyring, secret }: Sealed & { id: string; person: Person; note: string },
): KeptKey {
  return {
    ...{ id, tenant: person.tenant, person: person.id, note, keyring, secret },
    ...{ state: 'active', createdAt: clock.now(), usedAt: undefined },
  }
}
