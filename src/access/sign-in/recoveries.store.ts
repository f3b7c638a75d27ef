import { type Json, type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** Who helps a person of the tenant who has lost his passkeys: so many of these people. */
export type RecoveryPlan = { needed: number; helpers: string[] }

export type RecoveryState = 'requested' | 'cancelled' | 'completed' | 'lapsed'

/**
 * A person's wish to be let in with new passkeys. `secret`: hash of what the wisher holds; `words`: what helpers compare with
 * him; `readyAt`: when it may be completed, once enough have approved.
 */
export type Recovery = {
  id: string
  tenant: string
  person: string
  secret: string
  words: string
  state: RecoveryState
  requestedAt: number
  readyAt: number | undefined
  endedAt: number | undefined
}

/** Something that all people of a tenant should see. */
export type Notice = { number: number; kind: string; about: string; at: number; facts: Record<string, Json> }

const noticesKept = 1000

export function* getPlan(tenant: string): Step<RecoveryPlan | undefined> {
  const [plan] = yield sql`SELECT needed FROM recovery_plans WHERE tenant = ${tenant}`
  if (!plan) return undefined
  const helpers = yield sql`SELECT person FROM recovery_helpers WHERE tenant = ${tenant} ORDER BY person`
  return { needed: plan.needed as number, helpers: helpers.map(({ person }) => person as string) }
}

export function* setPlan(tenant: string, { needed, helpers }: RecoveryPlan, now: number): Step<void> {
  yield sql`INSERT INTO recovery_plans (tenant, needed, set_at) VALUES (${tenant}, ${needed}, ${now})
    ON CONFLICT (tenant) DO UPDATE SET needed = ${needed}, set_at = ${now}`
  yield sql`DELETE FROM recovery_helpers WHERE tenant = ${tenant}`
  for (const person of helpers) yield sql`INSERT INTO recovery_helpers (tenant, person) VALUES (${tenant}, ${person})`
}

export function* insertRecovery(recovery: Recovery): Step<void> {
  const { id, tenant, person, secret, words, state, requestedAt } = recovery
  yield sql`INSERT INTO recoveries (id, tenant, person, secret, words, state, requested_at)
    VALUES (${id}, ${tenant}, ${person}, ${secret}, ${words}, ${state}, ${requestedAt})`
}

export function* findRecovery(tenant: string, id: string): Step<Recovery | undefined> {
  const [row] = yield sql`SELECT * FROM recoveries WHERE id = ${id} AND tenant = ${tenant}`
  return row && recoveryOf(row)
}

/** The newest first. */
export function* listRecoveries(tenant: string, limit: number): Step<Recovery[]> {
  const rows =
    yield sql`SELECT * FROM recoveries WHERE tenant = ${tenant} ORDER BY requested_at DESC, id LIMIT ${limit}`
  return rows.map(recoveryOf)
}

/** Those of a person, or of all, that are under way. */
export function* openRecoveries(tenant: string, person?: string): Step<Recovery[]> {
  const rows =
    yield sql`SELECT * FROM recoveries WHERE tenant = ${tenant} AND state = 'requested' ORDER BY requested_at, id`
  return rows.map(recoveryOf).filter((one) => person === undefined || one.person === person)
}

export function* approvalsOf(recovery: string): Step<string[]> {
  const rows = yield sql`SELECT helper FROM recovery_approvals WHERE recovery = ${recovery} ORDER BY helper`
  return rows.map(({ helper }) => helper as string)
}

/** A second approval of the same helper counts once. */
export function* insertApproval(recovery: string, helper: string, now: number): Step<void> {
  yield sql`INSERT INTO recovery_approvals (recovery, helper, approved_at) VALUES (${recovery}, ${helper}, ${now})
    ON CONFLICT (recovery, helper) DO NOTHING`
}

export function* setReady(id: string, readyAt: number | undefined): Step<void> {
  yield sql`UPDATE recoveries SET ready_at = ${readyAt ?? null} WHERE id = ${id}`
}

export function* endRecovery(id: string, state: RecoveryState, now: number): Step<void> {
  yield sql`UPDATE recoveries SET state = ${state}, ended_at = ${now} WHERE id = ${id} AND state = 'requested'`
}

/** Tells the people of a tenant something; the oldest are forgotten when there are many. */
export function* insertNotice(tenant: string, notice: Omit<Notice, 'number'>): Step<void> {
  const [last] = yield sql`SELECT COALESCE(MAX(number), 0) AS last FROM notices WHERE tenant = ${tenant}`
  const number = Number(last?.last) + 1
  yield sql`INSERT INTO notices (tenant, number, kind, about, at, facts)
    VALUES (${tenant}, ${number}, ${notice.kind}, ${notice.about}, ${notice.at}, ${JSON.stringify(notice.facts)})`
  yield sql`DELETE FROM notices WHERE tenant = ${tenant} AND number <= ${number - noticesKept}`
}

/** The newest first, from below a number on. */
export function* listNotices(tenant: string, below: number, limit: number): Step<Notice[]> {
  const rows = yield sql`SELECT * FROM notices WHERE tenant = ${tenant} AND number < ${below}
    ORDER BY number DESC LIMIT ${limit}`
  return rows.map((row) => ({
    number: row.number as number,
    kind: row.kind as string,
    about: row.about as string,
    at: row.at as number,
    facts: JSON.parse(row.facts as string) as Record<string, Json>,
  }))
}

function recoveryOf(row: Row): Recovery {
  return {
    id: row.id as string,
    tenant: row.tenant as string,
    person: row.person as string,
    secret: row.secret as string,
    words: row.words as string,
    state: row.state as RecoveryState,
    requestedAt: row.requested_at as number,
    readyAt: (row.ready_at as number | null) ?? undefined,
    endedAt: (row.ended_at as number | null) ?? undefined,
  }
}
