import { canonicalJson, type Json, type Row, type Statement, sql } from '#kernel'
import type { MemberKind } from './member.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** A right to join, once. `pin`: of the key that has used it. */
export type Invitation = {
  id: string
  /** SHA-256 of the secret, hex. */
  secret: string
  kind: MemberKind
  member: string
  facts: Json
  expiresAt: number
  pin: string | undefined
}

export function* insertInvitation({ id, secret, kind, member, facts, expiresAt }: Invitation): Step<void> {
  yield sql`INSERT INTO invitations (id, secret, kind, member, facts, expires_at, pin)
    VALUES (${id}, ${secret}, ${kind}, ${member}, ${canonicalJson(facts)}, ${expiresAt}, NULL)`
}

export function* findInvitation(id: string): Step<Invitation | undefined> {
  const [row] = yield sql`SELECT * FROM invitations WHERE id = ${id}`
  if (!row) return undefined
  return {
    id,
    secret: row.secret as string,
    kind: row.kind as MemberKind,
    member: row.member as string,
    facts: JSON.parse(row.facts as string) as Json,
    expiresAt: Number(row.expires_at),
    pin: row.pin === null ? undefined : (row.pin as string),
  }
}

/** Notes whose key has used an invitation; nobody else can from then on. */
export function* useInvitation(id: string, pin: string): Step<void> {
  yield sql`UPDATE invitations SET pin = ${pin} WHERE id = ${id}`
}

/** Ends what a member was invited by before, used or not. */
export function* dropInvitations(member: string): Step<void> {
  yield sql`DELETE FROM invitations WHERE member = ${member}`
}

/** Forgets what nobody can use any more, and counts the rest. */
export function* countInvitations(now: number): Step<number> {
  yield sql`DELETE FROM invitations WHERE expires_at < ${now - keptMs}`
  const [row] = yield sql`SELECT COUNT(*) AS count FROM invitations WHERE expires_at > ${now} AND pin IS NULL`
  return Number(row?.count ?? 0)
}

/** So long it can still be said that an invitation has ended, milliseconds. */
const keptMs = 30 * 24 * 60 * 60 * 1000

/** So many attempts within so many milliseconds. */
export type JoinLimit = { most: number; withinMs: number }

/**
 * Counts one more attempt to join. It commits before the code is looked at, so that no refusal forgets it.
 * @returns milliseconds to wait when there were too many, else 0
 */
export function* countJoin(subject: string, now: number, { most, withinMs }: JoinLimit): Step<number> {
  yield sql`DELETE FROM join_attempts WHERE since < ${now - withinMs}`
  const [row] = yield sql`SELECT since, count FROM join_attempts WHERE subject = ${subject}`
  const [since, count] = row ? [Number(row.since), Number(row.count)] : [now, 0]
  if (count >= most) return since + withinMs - now
  yield sql`INSERT INTO join_attempts (subject, since, count) VALUES (${subject}, ${since}, 1)
    ON CONFLICT (subject) DO UPDATE SET count = ${count + 1}`
  return 0
}

/** Who came with a right code has not guessed. */
export function* forgetJoins(subject: string): Step<void> {
  yield sql`DELETE FROM join_attempts WHERE subject = ${subject}`
}
