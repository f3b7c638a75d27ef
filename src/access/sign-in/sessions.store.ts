import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** How long a session lasts without being used, and at the most, milliseconds. */
export const sessionIdleMs = 30 * 60_000
export const sessionMs = 12 * 3_600_000
/** Being used is written down no more often than this. */
const seenMs = 60_000

/** `cookie`: of a browser; `bearer`: of a program that sends the token itself. */
export type Carrier = 'cookie' | 'bearer'

/** A sign-in that lasts. `token` is the hash of what its holder shows; `signOut`: where to sign out of the identity provider too. */
export type Session = {
  token: string
  id: string
  tenant: string
  person: string
  carrier: Carrier
  method: 'passkey' | 'provider' | 'login'
  label: string
  signOut: string | undefined
  createdAt: number
  seenAt: number
  personEpoch: number
  tenantEpoch: number
}

export function* insertSession(session: Session): Step<void> {
  const { token, id, tenant, person, carrier, method, label, signOut, createdAt, seenAt } = session
  yield sql`DELETE FROM sessions WHERE created_at < ${createdAt - sessionMs}`
  yield sql`INSERT INTO sessions (token, id, tenant, person, carrier, method, label, sign_out, created_at, seen_at, person_epoch,
      tenant_epoch)
    VALUES (${token}, ${id}, ${tenant}, ${person}, ${carrier}, ${method}, ${label}, ${signOut ?? null}, ${createdAt}, ${seenAt},
      ${session.personEpoch}, ${session.tenantEpoch})`
}

export function* findSession(token: string): Step<Session | undefined> {
  const [row] = yield sql`SELECT * FROM sessions WHERE token = ${token}`
  return row && sessionOf(row)
}

export function* findSessionById(tenant: string, id: string): Step<Session | undefined> {
  const [row] = yield sql`SELECT * FROM sessions WHERE id = ${id} AND tenant = ${tenant}`
  return row && sessionOf(row)
}

/** Those of a person that time has not ended. */
export function* listSessions(person: string, now: number): Step<Session[]> {
  const rows = yield sql`SELECT * FROM sessions WHERE person = ${person} AND created_at > ${now - sessionMs}
    AND seen_at > ${now - sessionIdleMs} ORDER BY created_at, id`
  return rows.map(sessionOf)
}

/** Whether being used now is worth writing down. */
export const isSeenLate = (session: Session, now: number) => now - session.seenAt >= seenMs

/** Begins the idle time anew; time does not go back, and what has been ended stays ended. */
export function* noteSeen(token: string, now: number): Step<void> {
  yield sql`UPDATE sessions SET seen_at = ${now} WHERE token = ${token} AND seen_at < ${now}`
}

export function* deleteSession(token: string): Step<void> {
  yield sql`DELETE FROM sessions WHERE token = ${token}`
}

export function* dropSessions(person: string): Step<void> {
  yield sql`DELETE FROM sessions WHERE person = ${person}`
}

/** Why time has ended a session, if it has. */
export function endedBy(session: Session, now: number): string | undefined {
  if (now - session.createdAt >= sessionMs) return 'it lasted 12 hours'
  if (now - session.seenAt >= sessionIdleMs) return 'it was not used for 30 minutes'
  return undefined
}

function sessionOf(row: Row): Session {
  return {
    token: row.token as string,
    id: row.id as string,
    tenant: row.tenant as string,
    person: row.person as string,
    carrier: row.carrier as Carrier,
    method: row.method as Session['method'],
    label: row.label as string,
    signOut: (row.sign_out as string | null) ?? undefined,
    createdAt: row.created_at as number,
    seenAt: row.seen_at as number,
    personEpoch: row.person_epoch as number,
    tenantEpoch: row.tenant_epoch as number,
  }
}
