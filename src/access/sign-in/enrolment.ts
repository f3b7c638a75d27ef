import { appendFact } from '#journal'
import type { Call, Random, Row, Statement } from '#kernel'
import { findPerson, findPersonById, getPerson, insertPerson, type Person } from '../records/people.store.ts'
import { findTenant, insertTenant } from '../records/tenants.store.ts'
import type { AttemptLimit } from './attempts.store.ts'
import { spendAttempt } from './ceremony.ts'
import {
  type Ceremony,
  changeCeremony,
  dropCeremonies,
  findCeremony,
  findCeremonyByCode,
  insertCeremony,
  listCeremonies,
  takeCeremony,
} from './ceremonies.store.ts'
import { hasCredentials, ownerCanSignIn } from './credentials.store.ts'
import { signInError } from './errors.ts'
import { beginRegistration, finishRegistration, type Named, type RegistrationOptions } from './passkeys.ts'
import type { SignInPorts } from './ports.ts'
import { codeHash, freshCode, freshId, freshSecret, hashOf } from './secrets.ts'
import { drawSession, type OpenedSession, openSession } from './sessions.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** A code that is told once, and until when it is good. */
export type Code = { code: string; expiresAt: number }
/** A right to register passkeys for a person who has none. `owed`: how many until he is signed in. */
export type Enrolment = { enrolment: string; person: string; owed: number; expiresAt: number }
type Owed = { owed: number; recovering: boolean }

const adminCodeMs = 15 * 60_000
const invitationMs = 24 * 3_600_000
const enrolmentMs = 3_600_000
/** A person who loses one passkey should still have another. */
const passkeysAtFirst = 2
/** A code has 60 bits: this many guesses are nothing, and people mistype. */
const guessLimit: AttemptLimit = { most: 10, withinMs: 15 * 60_000 }
const codeGroups = 3

/**
 * Makes the code that lets in the first owner; an earlier one ends, and what it has begun. Whoever runs the machine asks for it.
 * @throws admin.present when an owner can sign in already
 */
export async function createAdminCode(ports: SignInPorts, call: Call): Promise<Code> {
  const { clock, database, random } = ports
  const at = clock.now()
  const code = freshCode(random, codeGroups)
  const expiresAt = at + adminCodeMs
  const id = hashOf(freshSecret(random))
  await database.transact(function* () {
    if (yield* ownerCanSignIn(call.tenant)) throw signInError('admin.present')
    yield* dropCeremonies(call.tenant, 'admin')
    // Whoever came with an earlier code and has not finished is not waited for: it may have been a stranger.
    yield* dropCeremonies(call.tenant, 'enrolment')
    yield* insertCeremony(at, {
      ...{ id, tenant: call.tenant, purpose: 'admin', person: undefined, code: codeHash(code), data: null, expiresAt },
    })
    yield* appendFact(ports.journal, {
      ...{ topic: 'admin.code', about: call.tenant, actor: call.actor, tenant: call.tenant, at, facts: { expiresAt } },
    })
  })
  return { code, expiresAt }
}

/**
 * Makes the code that lets in somebody who was written down as a person of the tenant; an earlier one ends.
 * @param input.byOwner whether an owner asks: nobody else brings in owners
 * @throws person.missing, invitation.settled, invitation.owner
 */
export async function createInvitation(
  ports: SignInPorts,
  call: Call,
  input: { person: string; byOwner: boolean },
): Promise<Code> {
  const { clock, database, random } = ports
  const at = clock.now()
  const code = freshCode(random, codeGroups)
  const expiresAt = at + invitationMs
  const id = hashOf(freshSecret(random))
  await database.transact(function* () {
    const person = yield* getPerson(call.tenant, input.person)
    if (person.roles.includes('owner') && !input.byOwner) throw signInError('invitation.owner')
    // Who has just been recovered has nothing to sign in with for a moment; that is nobody else's chance.
    if ((yield* hasCredentials(person.id)) || (yield* isRecovering(person, at)))
      throw signInError('invitation.settled', { person: person.name })
    yield* dropCeremonies(call.tenant, 'invitation', person.id)
    yield* dropCeremonies(call.tenant, 'enrolment', person.id)
    yield* insertCeremony(at, {
      ...{
        id,
        tenant: call.tenant,
        purpose: 'invitation',
        person: person.id,
        code: codeHash(code),
        data: null,
        expiresAt,
      },
    })
    yield* appendFact(ports.journal, {
      ...{
        topic: 'person.invited',
        about: person.id,
        actor: call.actor,
        tenant: call.tenant,
        at,
        facts: { expiresAt },
      },
    })
  })
  return { code, expiresAt }
}

/**
 * Takes a code, once, for the right to register passkeys. The first owner says who he is; who was invited is known.
 * @throws admin.code, invitation.code, enrolment.name, attempts.spent
 */
export async function claimCode(
  ports: SignInPorts,
  _: Call,
  input: { kind: 'admin' | 'invitation'; code: string; name?: string; displayName?: string; address: string },
): Promise<Enrolment> {
  const { clock, database, random, site } = ports
  const { kind, address, name } = input
  if (kind === 'admin' && name === undefined) throw signInError('enrolment.name')
  // Whoever guesses from many addresses has this many guesses all the same.
  await spendAttempt(ports, `${kind} code ${site.tenant} ${address}`, guessLimit)
  await spendAttempt(ports, `${kind} code ${site.tenant}`, { ...guessLimit, most: 10 * guessLimit.most })
  const at = clock.now()
  const drawn = drawEnrolment(random)
  const personId = freshId(random)
  return database.transact(function* () {
    const found = yield* findCeremonyByCode(site.tenant, codeHash(input.code))
    if (!found || found.purpose !== kind || found.expiresAt <= at) throw signInError(`${kind}.code`)
    if (kind === 'admin' && (yield* ownerCanSignIn(site.tenant))) throw signInError('admin.present')
    yield* takeCeremony(site.tenant, found.id)
    const person =
      kind === 'admin'
        ? yield* firstOwner(site.tenant, { id: personId, name: name as string, displayName: input.displayName }, at)
        : yield* findPersonById(found.person ?? '')
    if (!person || (yield* hasCredentials(person.id))) throw signInError(`${kind}.code`)
    yield* appendFact(ports.journal, {
      ...{ topic: `${kind}.claimed`, about: person.id, actor: person.id, tenant: person.tenant, at, facts: {} },
    })
    return yield* openEnrolment(drawn, person, at, { recovering: false })
  })
}

/** Draws what an enrolment needs, outside of the transaction that opens it. */
export const drawEnrolment = (random: Random) => freshSecret(random)

/** Opens the right to register passkeys, and ends an earlier one of the same person. */
export function* openEnrolment(
  drawn: string,
  person: Person,
  now: number,
  { recovering }: { recovering: boolean },
): Step<Enrolment> {
  const expiresAt = now + enrolmentMs
  yield* dropCeremonies(person.tenant, 'enrolment', person.id)
  yield* insertCeremony(now, {
    ...{ id: hashOf(drawn), tenant: person.tenant, purpose: 'enrolment', person: person.id, code: undefined },
    ...{ data: { owed: passkeysAtFirst, recovering } satisfies Owed, expiresAt },
  })
  return { enrolment: drawn, person: person.name, owed: passkeysAtFirst, expiresAt }
}

/** Begins to register one of the passkeys that are owed. @throws ceremony.missing, ceremony.expired */
export async function beginEnrolledPasskey(
  ports: SignInPorts,
  _: Call,
  { enrolment }: { enrolment: string },
): Promise<RegistrationOptions> {
  const now = ports.clock.now()
  const { person } = await ports.database.read(() => enrolled(ports.site.tenant, enrolment, now))
  await spendAttempt(ports, `enrolled passkey ${person.id}`, { most: 60, withinMs: enrolmentMs })
  return beginRegistration(ports, person)
}

/**
 * Registers one of them; with the last one the person is signed in.
 * @throws ceremony.*, passkey.*
 */
export async function finishEnrolledPasskey(
  ports: SignInPorts,
  _: Call,
  input: Named & { enrolment: string; label: string; replaced: string | undefined },
): Promise<{ owed: number; opened: OpenedSession | undefined }> {
  const { clock, database, random, site } = ports
  const now = clock.now()
  const { person } = await database.read(() => enrolled(site.tenant, input.enrolment, now))
  const { ceremony, name, answer, label, replaced } = input
  const write = await finishRegistration(ports, person, { ceremony, name, answer })
  const drawn = drawSession(random)
  return database.transact(function* () {
    const { ceremony: begun, person: same } = yield* enrolled(site.tenant, input.enrolment, now)
    yield* write()
    const owed = begun.data.owed - 1
    if (owed > 0) {
      yield* changeCeremony({ ...begun, data: { ...begun.data, owed } })
      return { owed, opened: undefined }
    }
    yield* takeCeremony(site.tenant, begun.id)
    const of = { person: same, carrier: 'cookie', method: 'passkey', label, signOut: undefined, replaced } as const
    return { owed, opened: yield* openSession(ports, drawn, now, of) }
  })
}

function* enrolled(tenant: string, secret: string, now: number): Step<{ ceremony: Ceremony<Owed>; person: Person }> {
  const ceremony = yield* findCeremony(tenant, 'enrolment', hashOf(secret))
  if (!ceremony) throw signInError('ceremony.missing')
  if (ceremony.expiresAt <= now) throw signInError('ceremony.expired', { minutes: enrolmentMs / 60_000 })
  const person = yield* findPersonById(ceremony.person ?? '')
  if (!person || person.state !== 'active') throw signInError('ceremony.missing')
  return { ceremony: ceremony as Ceremony<Owed>, person }
}

function* isRecovering(person: Person, now: number): Step<boolean> {
  const open = yield* listCeremonies(person.tenant, 'enrolment', person.id)
  return open.some(({ data, expiresAt }) => (data as Owed).recovering && expiresAt > now)
}

/** A claim that was broken off before is taken up again under the same name. */
function* firstOwner(
  tenant: string,
  who: { id: string; name: string; displayName: string | undefined },
  now: number,
): Step<Person> {
  if (!(yield* findTenant(tenant)))
    yield* insertTenant({ id: tenant, name: tenant, state: 'active', epoch: 1, openToPublic: false, createdAt: now })
  const known = yield* findPerson(tenant, who.name)
  if (known?.roles.includes('owner') && known.state === 'active') return known
  const person: Person = {
    ...{ id: who.id, tenant, name: who.name, displayName: who.displayName ?? who.name, email: undefined },
    ...{ roles: ['owner'], state: 'active', epoch: 1, createdAt: now },
  }
  yield* insertPerson(person)
  return person
}
