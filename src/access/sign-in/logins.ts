import { appendFact } from '#journal'
import type { Call, Row, Statement } from '#kernel'
import { findPersonById, getPerson } from '../records/people.store.ts'
import type { AttemptLimit } from './attempts.store.ts'
import { beginLimit, spendAttempt } from './ceremony.ts'
import {
  type Ceremony,
  changeCeremony,
  findCeremony,
  findCeremonyByCode,
  insertCeremony,
  takeCeremony,
} from './ceremonies.store.ts'
import { signInError } from './errors.ts'
import type { SignInPorts } from './ports.ts'
import { codeHash, freshCode, freshSecret, hashOf } from './secrets.ts'
import { drawSession, type OpenedSession, openSession } from './sessions.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** A sign-in that a program asks for and a person approves elsewhere. Source of the idea: RFC 8628. */
export type Login = { label: string; address: string }

const loginMs = 10 * 60_000
const loginMinutes = loginMs / 60_000
const codeGroups = 2
const guessLimit: AttemptLimit = { most: 10, withinMs: loginMs }

/**
 * Begins a sign-in of a program. It shows the code to the person and keeps the device secret to itself.
 * @throws attempts.spent, ceremony.crowded
 */
export async function beginLogin(
  ports: SignInPorts,
  _: Call,
  login: Login,
): Promise<{ code: string; device: string; expiresAt: number }> {
  await spendAttempt(ports, `begin ${login.address}`, beginLimit)
  const { clock, database, random, site } = ports
  const [code, device] = [freshCode(random, codeGroups), freshSecret(random)]
  const now = clock.now()
  const expiresAt = now + loginMs
  await database.transact(() =>
    insertCeremony(now, {
      ...{ id: hashOf(device), tenant: site.tenant, purpose: 'login', person: undefined, code: codeHash(code) },
      ...{ data: { ...login }, expiresAt },
    }),
  )
  return { code, device, expiresAt }
}

/**
 * Shows, or approves, the program's sign-in with this code. Wrong codes are counted for the person who types them.
 * @throws login.code, attempts.spent
 */
export async function approveLogin(
  ports: SignInPorts,
  call: Call,
  { code, approve }: { code: string; approve: boolean },
): Promise<Login> {
  const { clock, database } = ports
  await spendAttempt(ports, `login code ${call.tenant} ${call.actor}`, guessLimit)
  const now = clock.now()
  return database.transact(function* () {
    const person = yield* getPerson(call.tenant, call.actor)
    const found = yield* findCeremonyByCode(call.tenant, codeHash(code))
    if (found?.purpose !== 'login' || found.expiresAt <= now || found.person !== undefined)
      throw signInError('login.code')
    if (approve) {
      yield* changeCeremony({ ...found, person: person.id })
      yield* appendFact(ports.journal, {
        ...{ topic: 'login.approved', about: person.id, actor: person.id, tenant: person.tenant, at: now },
        facts: {},
      })
    }
    return found.data as Login
  })
}

/**
 * Asks whether somebody has approved, and takes the session if so.
 * @throws login.pending, ceremony.missing, ceremony.expired, access.denied
 */
export async function finishLogin(ports: SignInPorts, _: Call, { device }: { device: string }): Promise<OpenedSession> {
  const { clock, database, random, site } = ports
  const drawn = drawSession(random)
  const now = clock.now()
  return database.transact(function* (): Step<OpenedSession> {
    const found = (yield* findCeremony(site.tenant, 'login', hashOf(device))) as Ceremony<Login> | undefined
    if (!found) throw signInError('ceremony.missing')
    if (found.expiresAt <= now) throw signInError('ceremony.expired', { minutes: loginMinutes })
    if (found.person === undefined) throw signInError('login.pending')
    yield* takeCeremony(site.tenant, found.id)
    const person = yield* findPersonById(found.person)
    if (!person) throw signInError('ceremony.missing')
    const { label } = found.data
    const of = { person, carrier: 'bearer', method: 'login', label, signOut: undefined } as const
    return yield* openSession(ports, drawn, now, of)
  })
}
