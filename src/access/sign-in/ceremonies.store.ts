import { type Json, type Row, type Statement, sql } from '#kernel'
import { signInError } from './errors.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** What can be begun here and is finished by another request. */
export type Purpose = 'passkey' | 'sign-in' | 'provider' | 'login' | 'admin' | 'invitation' | 'enrolment'

/**
 * Something begun that waits for its end. `id`: hash of the secret that its beginner holds; `code`: hash of what somebody
 * types, where there is such a thing.
 */
export type Ceremony<D extends Json = Json> = {
  id: string
  tenant: string
  purpose: Purpose
  person: string | undefined
  code: string | undefined
  data: D
  expiresAt: number
}

const mostOfTenant = 10_000

/** Writes down what was begun, and forgets what ran out. @throws ceremony.crowded */
export function* insertCeremony(now: number, ceremony: Ceremony): Step<void> {
  const { id, tenant, purpose, person, code, data, expiresAt } = ceremony
  // What ran out a short while ago is kept, so that its beginner hears why he is refused.
  yield sql`DELETE FROM ceremonies WHERE expires_at < ${now - 600_000}`
  const [held] = yield sql`SELECT COUNT(*) AS held FROM ceremonies WHERE tenant = ${tenant} AND purpose = ${purpose}`
  if (Number(held?.held) >= mostOfTenant) throw signInError('ceremony.crowded')
  yield sql`INSERT INTO ceremonies (id, tenant, purpose, person, code, data, expires_at)
    VALUES (${id}, ${tenant}, ${purpose}, ${person ?? null}, ${code ?? null}, ${JSON.stringify(data)}, ${expiresAt})`
}

export function* findCeremony(tenant: string, purpose: Purpose, id: string): Step<Ceremony | undefined> {
  const [row] = yield sql`SELECT * FROM ceremonies WHERE id = ${id} AND tenant = ${tenant} AND purpose = ${purpose}`
  return row && ceremonyOf(row)
}

export function* findCeremonyByCode(tenant: string, code: string): Step<Ceremony | undefined> {
  const [row] = yield sql`SELECT * FROM ceremonies WHERE code = ${code} AND tenant = ${tenant}`
  return row && ceremonyOf(row)
}

export function* listCeremonies(tenant: string, purpose: Purpose, person: string): Step<Ceremony[]> {
  const rows =
    yield sql`SELECT * FROM ceremonies WHERE tenant = ${tenant} AND purpose = ${purpose} AND person = ${person}
    ORDER BY expires_at`
  return rows.map(ceremonyOf)
}

/** Takes a ceremony out, so that nobody else can finish it too. @returns undefined when it is gone already */
export function* takeCeremony(tenant: string, id: string): Step<Ceremony | undefined> {
  const [row] = yield sql`DELETE FROM ceremonies WHERE id = ${id} AND tenant = ${tenant} RETURNING *`
  return row && ceremonyOf(row)
}

/** Changes what a ceremony knows, and may give it to a person. */
export function* changeCeremony({ id, person, data }: Ceremony): Step<void> {
  yield sql`UPDATE ceremonies SET person = ${person ?? null}, data = ${JSON.stringify(data)} WHERE id = ${id}`
}

/** Ends what was begun for a purpose, for one person or for all. */
export function* dropCeremonies(tenant: string, purpose: Purpose, person?: string): Step<void> {
  if (person === undefined) yield sql`DELETE FROM ceremonies WHERE tenant = ${tenant} AND purpose = ${purpose}`
  else yield sql`DELETE FROM ceremonies WHERE tenant = ${tenant} AND purpose = ${purpose} AND person = ${person}`
}

function ceremonyOf(row: Row): Ceremony {
  return {
    id: row.id as string,
    tenant: row.tenant as string,
    purpose: row.purpose as Purpose,
    person: (row.person as string | null) ?? undefined,
    code: (row.code as string | null) ?? undefined,
    data: JSON.parse(row.data as string) as Json,
    expiresAt: row.expires_at as number,
  }
}
