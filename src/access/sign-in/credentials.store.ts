import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** Whom an identity provider means. `byRule`: a rule let the person in, not an invitation. */
export type Identity = { tenant: string; issuer: string; subject: string; person: string; byRule: boolean }

export function* findIdentity(tenant: string, issuer: string, subject: string): Step<Identity | undefined> {
  const [row] = yield sql`SELECT person, by_rule FROM identities
    WHERE tenant = ${tenant} AND issuer = ${issuer} AND subject = ${subject}`
  return row && { tenant, issuer, subject, person: row.person as string, byRule: row.by_rule === 1 }
}

/** Ties a person to an identity; one that named somebody who is gone is tied anew. */
export function* setIdentity({ tenant, issuer, subject, person, byRule }: Identity, now: number): Step<void> {
  const rule = byRule ? 1 : 0
  yield sql`INSERT INTO identities (tenant, issuer, subject, person, by_rule, created_at)
    VALUES (${tenant}, ${issuer}, ${subject}, ${person}, ${rule}, ${now})
    ON CONFLICT (tenant, issuer, subject) DO UPDATE SET person = ${person}, by_rule = ${rule}, created_at = ${now}`
}

/** Whether a person has anything to sign in with. */
export function* hasCredentials(person: string): Step<boolean> {
  const [passkey] = yield sql`SELECT id FROM passkeys WHERE person = ${person} LIMIT 1`
  const [identity] = yield sql`SELECT subject FROM identities WHERE person = ${person} LIMIT 1`
  return passkey !== undefined || identity !== undefined
}

/** Whether somebody who owns the tenant has anything to sign in with. */
export function* ownerCanSignIn(tenant: string): Step<boolean> {
  const owners = yield sql`SELECT people.id FROM people JOIN person_roles ON person_roles.person = people.id
    WHERE people.tenant = ${tenant} AND people.state = 'active' AND person_roles.role = 'owner'`
  for (const { id } of owners) if (yield* hasCredentials(id as string)) return true
  return false
}

/** Forgets by what a person signed in so far, and what stands on it. */
export function* dropCredentials(person: string): Step<void> {
  yield sql`DELETE FROM passkeys WHERE person = ${person}`
  yield sql`DELETE FROM identities WHERE person = ${person}`
  yield sql`DELETE FROM sessions WHERE person = ${person}`
  yield sql`DELETE FROM ceremonies WHERE person = ${person}`
}

/** The ids of people with this address, whatever its case. */
export function* findByEmail(tenant: string, email: string): Step<string[]> {
  const rows =
    yield sql`SELECT id FROM people WHERE tenant = ${tenant} AND LOWER(email) = ${email.toLowerCase()} LIMIT 2`
  return rows.map(({ id }) => id as string)
}
