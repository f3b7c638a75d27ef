import { appendFact, type FactsOf } from '#journal'
import type { Call, Json, Row, Statement } from '#kernel'
import { findPerson, findPersonById, getPerson, type Person, raisePersonEpoch } from '../records/people.store.ts'
import { spendAttempt } from './ceremony.ts'
import { dropCredentials } from './credentials.store.ts'
import { drawEnrolment, type Enrolment, openEnrolment } from './enrolment.ts'
import { signInError } from './errors.ts'
import type { SignInPorts } from './ports.ts'
import {
  approvalsOf,
  endRecovery,
  findRecovery,
  getPlan,
  insertApproval,
  insertNotice,
  insertRecovery,
  listNotices as listStoredNotices,
  listRecoveries as listStored,
  type Notice,
  openRecoveries,
  type Recovery,
  setPlan,
  setReady,
} from './recoveries.store.ts'
import { freshCode, freshId, freshSecret, hashOf } from './secrets.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** Everybody has this long to see the notice and to say no. */
export const recoveryDelayMs = 72 * 3_600_000
/** A wish that is not approved, or not completed, lapses. */
const lapseMs = 14 * 24 * 3_600_000
const dayMs = 24 * 3_600_000
const fewestNeeded = 2
const openMost = 3
const listMost = 100

/** Who helps, by name. */
export type PlanByName = { needed: number; helpers: string[] }
/** A recovery with the names of those who have approved. `state` is `lapsed` for one that took too long. */
export type ShownRecovery = Omit<Recovery, 'secret' | 'person'> & {
  person: string
  approvedBy: string[]
  needed: number
  expiresAt: number
}

export async function getRecoveryPlan(ports: SignInPorts, call: Call): Promise<PlanByName | undefined> {
  return ports.database.read(function* () {
    const plan = yield* getPlan(call.tenant)
    return plan && { needed: plan.needed, helpers: yield* namesOf(plan.helpers) }
  })
}

/**
 * Says who helps people who have lost their passkeys, and how many of them must agree. Nobody helps himself, so there is one
 * more than are needed.
 * @throws recovery.plan, person.missing
 */
export async function setRecoveryPlan(ports: SignInPorts, call: Call, plan: PlanByName): Promise<void> {
  const at = ports.clock.now()
  const helpers = new Set(plan.helpers)
  if (plan.needed < fewestNeeded) throw signInError('recovery.plan', { reason: 'one person alone must not be enough' })
  if (helpers.size <= plan.needed)
    throw signInError('recovery.plan', {
      reason: `it names ${helpers.size} people; nobody helps himself, so name more`,
    })
  await ports.database.transact(function* () {
    const ids: string[] = []
    for (const name of helpers) ids.push((yield* getPerson(call.tenant, name)).id)
    yield* setPlan(call.tenant, { needed: plan.needed, helpers: ids }, at)
    const facts = { needed: plan.needed, helpers: ids.length }
    yield* appendFact(ports.journal, {
      ...{ topic: 'recovery.planned', about: call.tenant, actor: call.actor, tenant: call.tenant, at, facts },
    })
    yield* insertNotice(call.tenant, { kind: 'recovery.planned', about: call.actor, at, facts })
  })
}

/**
 * Wishes to be let in again. The answer is the same whether there is such a person or not. The secret stays with the wisher;
 * the words are for the helpers, who ask for them by a way that they trust.
 * @throws recovery.planless, attempts.spent
 */
export async function requestRecovery(
  ports: SignInPorts,
  _: Call,
  { person: name, address }: { person: string; address: string },
): Promise<{ id: string; secret: string; words: string; delayMs: number }> {
  const { clock, database, random, site } = ports
  await spendAttempt(ports, `recovery ${site.tenant} ${address}`, { most: 10, withinMs: dayMs })
  await spendAttempt(ports, `recovery ${site.tenant}`, { most: 100, withinMs: dayMs })
  const [id, secret, words] = [freshId(random), freshSecret(random), freshCode(random, 2)]
  const at = clock.now()
  await database.transact(function* () {
    if (!(yield* getPlan(site.tenant))) throw signInError('recovery.planless')
    yield* lapse(ports, site.tenant, at)
    const person = yield* findPerson(site.tenant, name)
    if (!person || person.state !== 'active') return
    if (!(yield* makeRoom(ports, person, at))) return
    const recovery: Recovery = {
      ...{ id, tenant: site.tenant, person: person.id, secret: hashOf(secret), words, state: 'requested' },
      ...{ requestedAt: at, readyAt: undefined, endedAt: undefined },
    }
    yield* insertRecovery(recovery)
    yield* tell(ports, recovery, { step: 'requested', facts: { recovery: id } }, at, 'anyone')
  })
  return { id, secret, words, delayMs: recoveryDelayMs }
}

export async function listRecoveries(ports: SignInPorts, call: Call): Promise<ShownRecovery[]> {
  const now = ports.clock.now()
  return ports.database.read(function* () {
    const shown: ShownRecovery[] = []
    for (const recovery of yield* listStored(call.tenant, listMost)) shown.push(yield* show(recovery, now))
    return shown
  })
}

/**
 * A helper says that he has spoken with the person and that the words are right. With the last one that is needed the delay
 * begins.
 * @throws recovery.missing, recovery.helper
 */
export async function approveRecovery(ports: SignInPorts, call: Call, id: string): Promise<ShownRecovery> {
  const at = ports.clock.now()
  return ports.database.transact(function* () {
    const recovery = yield* underWay(call.tenant, id, at)
    const helper = yield* getPerson(call.tenant, call.actor)
    const plan = yield* getPlan(call.tenant)
    if (helper.id === recovery.person || !plan?.helpers.includes(helper.id)) throw signInError('recovery.helper')
    const before = yield* countedApprovals(recovery)
    yield* insertApproval(id, helper.id, at)
    const approvals = yield* countedApprovals(recovery)
    if (approvals.length === before.length) return yield* show(recovery, at)
    const enough = approvals.length >= plan.needed
    // The delay runs from the approval that makes them enough, also when the plan has changed meanwhile.
    const begins = enough && (before.length < plan.needed || recovery.readyAt === undefined)
    const readyAt = begins ? at + recoveryDelayMs : recovery.readyAt
    yield* setReady(id, readyAt)
    const facts = { recovery: id, approvals: approvals.length, needed: plan.needed, readyAt: readyAt ?? 0 }
    yield* tell(ports, recovery, { step: 'approved', facts }, at, helper)
    return yield* show({ ...recovery, readyAt }, at)
  })
}

/** Any helper, or the person himself, says no. @throws recovery.missing, recovery.helper */
export async function cancelRecovery(ports: SignInPorts, call: Call, id: string): Promise<ShownRecovery> {
  const at = ports.clock.now()
  return ports.database.transact(function* () {
    const recovery = yield* underWay(call.tenant, id, at)
    const asker = yield* getPerson(call.tenant, call.actor)
    const plan = yield* getPlan(call.tenant)
    if (asker.id !== recovery.person && !plan?.helpers.includes(asker.id)) throw signInError('recovery.helper')
    yield* endRecovery(id, 'cancelled', at)
    yield* tell(ports, recovery, { step: 'cancelled', facts: { recovery: id } }, at, asker)
    return yield* show({ ...recovery, state: 'cancelled', endedAt: at }, at)
  })
}

/**
 * Completes a recovery: what the person signed in with so far ends, with all sessions and all other wishes, and new passkeys
 * can be registered.
 * @throws recovery.missing, recovery.claim, recovery.few, recovery.early, attempts.spent
 */
export async function completeRecovery(
  ports: SignInPorts,
  _: Call,
  { id, secret }: { id: string; secret: string },
): Promise<Enrolment> {
  const { clock, database, random, site } = ports
  await spendAttempt(ports, `recovery claim ${id}`, { most: 20, withinMs: 3_600_000 })
  const at = clock.now()
  const drawn = drawEnrolment(random)
  return database.transact(function* () {
    const recovery = yield* underWay(site.tenant, id, at)
    if (recovery.secret !== hashOf(secret)) throw signInError('recovery.claim')
    const needed = (yield* getPlan(site.tenant))?.needed ?? Number.POSITIVE_INFINITY
    // Counted again: a helper who has been taken out of the plan since does not count any more.
    const approvals = yield* countedApprovals(recovery)
    if (approvals.length < needed || recovery.readyAt === undefined)
      throw signInError('recovery.few', { approvals: approvals.length, needed })
    if (at < recovery.readyAt)
      throw signInError('recovery.early', { readyAt: new Date(recovery.readyAt).toISOString() })
    const found = yield* findPersonById(recovery.person)
    if (!found || found.state !== 'active') throw signInError('recovery.missing', { id })
    yield* dropCredentials(found.id)
    const person = yield* raisePersonEpoch(site.tenant, found.name)
    yield* endRecovery(id, 'completed', at)
    yield* tell(ports, recovery, { step: 'completed', facts: { recovery: id } }, at, person)
    for (const other of yield* openRecoveries(site.tenant, person.id)) {
      yield* endRecovery(other.id, 'cancelled', at)
      yield* tell(ports, other, { step: 'cancelled', facts: { recovery: other.id } }, at, person)
    }
    return yield* openEnrolment(drawn, person, at, { recovering: true })
  })
}

/** What all people of the tenant should know of; the newest first, from below a number on. */
export async function listNotices(
  ports: SignInPorts,
  call: Call,
  { below, limit }: { below: number; limit: number },
): Promise<Notice[]> {
  return ports.database.read(() => listStoredNotices(call.tenant, below, limit))
}

function* underWay(tenant: string, id: string, now: number): Step<Recovery> {
  const recovery = yield* findRecovery(tenant, id)
  if (!recovery || recovery.state !== 'requested' || now >= lapsesAt(recovery))
    throw signInError('recovery.missing', { id })
  return recovery
}

const lapsesAt = ({ requestedAt, readyAt }: Recovery) => Math.max(requestedAt, readyAt ?? 0) + lapseMs

function* lapse(ports: SignInPorts, tenant: string, now: number): Step<void> {
  for (const recovery of yield* openRecoveries(tenant)) {
    if (now < lapsesAt(recovery)) continue
    yield* endRecovery(recovery.id, 'lapsed', now)
    yield* tell(ports, recovery, { step: 'lapsed', facts: { recovery: recovery.id } }, now, 'system')
  }
}

/** Approvals of people who are in the plan today and may act. */
function* countedApprovals(recovery: Recovery): Step<string[]> {
  const plan = yield* getPlan(recovery.tenant)
  const counted: string[] = []
  for (const helper of yield* approvalsOf(recovery.id)) {
    const person = yield* findPersonById(helper)
    if (plan?.helpers.includes(helper) && person?.state === 'active' && helper !== recovery.person) counted.push(helper)
  }
  return counted
}

/**
 * A person has few wishes at a time. Those that nobody has approved make room, the oldest first, so that a stranger who asks for
 * many cannot keep out the person himself.
 * @returns false when helpers are at work on all of them
 */
function* makeRoom(ports: SignInPorts, person: Person, now: number): Step<boolean> {
  const open = yield* openRecoveries(person.tenant, person.id)
  if (open.length < openMost) return true
  for (const recovery of open) {
    if ((yield* approvalsOf(recovery.id)).length > 0) continue
    yield* endRecovery(recovery.id, 'lapsed', now)
    yield* tell(ports, recovery, { step: 'lapsed', facts: { recovery: recovery.id } }, now, 'system')
    return true
  }
  return false
}

/** Every step is in the log, which names nobody, and in the notices, which do. */
function* tell(
  { journal }: SignInPorts,
  recovery: Recovery,
  step: { [T in RecoveryStep]: { step: T; facts: FactsOf<`recovery.${T}`> } }[RecoveryStep],
  at: number,
  by: Person | 'anyone' | 'system',
): Step<void> {
  const person = yield* findPersonById(recovery.person)
  const actor = typeof by === 'string' ? by : by.id
  const topic = `recovery.${step.step}` as const
  yield* appendFact(journal, {
    ...{ topic, about: recovery.person, actor, tenant: recovery.tenant, at, facts: step.facts },
  })
  const facts: Record<string, Json> = { ...step.facts, ...(typeof by !== 'string' && { by: by.name }) }
  yield* insertNotice(recovery.tenant, { kind: topic, about: person?.name ?? '', at, facts })
}
type RecoveryStep = 'requested' | 'approved' | 'cancelled' | 'completed' | 'lapsed'

function* show(recovery: Recovery, now: number): Step<ShownRecovery> {
  const { secret: _, person, ...rest } = recovery
  const [name = ''] = yield* namesOf([person])
  const expiresAt = lapsesAt(recovery)
  return {
    ...rest,
    ...{ person: name, approvedBy: yield* namesOf(yield* countedApprovals(recovery)) },
    ...{ needed: (yield* getPlan(recovery.tenant))?.needed ?? 0, expiresAt },
    state: recovery.state === 'requested' && now >= expiresAt ? 'lapsed' : recovery.state,
  }
}

function* namesOf(ids: readonly string[]): Step<string[]> {
  const names: string[] = []
  for (const id of ids) {
    const person = yield* findPersonById(id)
    if (person) names.push(person.name)
  }
  return names
}
