import { canonicalJson, type Json, type Row, type Statement, sql } from '#kernel'
import type { Member, MemberKind } from './member.ts'

type Step<T> = Generator<Statement, T, Row[]>

function memberOf(row: Row): Member {
  return {
    id: row.id as string,
    kind: row.kind as MemberKind,
    facts: JSON.parse(row.facts as string) as Json,
    publicKey: row.public_key as string,
    identity: row.identity === null ? undefined : (row.identity as Uint8Array),
    pin: row.pin as string,
    endpoint: row.endpoint as string,
    capacityBytes: Number(row.capacity),
    state: row.state as Member['state'],
    since: Number(row.since),
    revokedAt: row.revoked_at === null ? undefined : Number(row.revoked_at),
  }
}

export function* findMember(id: string): Step<Member | undefined> {
  const [row] = yield sql`SELECT * FROM members WHERE id = ${id}`
  return row && memberOf(row)
}

/** A page of members behind `after`, in the order of their ids. */
export function* membersAfter(after: string, limit: number): Step<Member[]> {
  return (yield sql`SELECT * FROM members WHERE id > ${after} ORDER BY id LIMIT ${limit}`).map(memberOf)
}

/** Everybody who belongs to the federation now, in the order of their ids. */
export function* activeMembers(): Step<Member[]> {
  return (yield sql`SELECT * FROM members WHERE state = 'active' ORDER BY id`).map(memberOf)
}

/** Puts a member down, in place of what was known of it before. */
export function* putMember(member: Member): Step<void> {
  const { id, kind, publicKey, pin, endpoint, capacityBytes, state, since } = member
  const identity = member.identity ?? null
  const revokedAt = member.revokedAt ?? null
  const facts = canonicalJson(member.facts)
  yield sql`INSERT INTO members (id, kind, facts, public_key, identity, pin, endpoint, capacity, state, since, revoked_at)
    VALUES (${id}, ${kind}, ${facts}, ${publicKey}, ${identity}, ${pin}, ${endpoint}, ${capacityBytes}, ${state}, ${since},
      ${revokedAt})
    ON CONFLICT (id) DO UPDATE SET kind = ${kind}, facts = ${facts}, public_key = ${publicKey}, identity = ${identity},
      pin = ${pin}, endpoint = ${endpoint}, capacity = ${capacityBytes}, state = ${state}, since = ${since},
      revoked_at = ${revokedAt}`
}

/** Who else has one of these keys. */
export function* findKeyHolder(id: string, publicKey: string, pin: string): Step<string | undefined> {
  const [row] =
    yield sql`SELECT id FROM members WHERE (public_key = ${publicKey} OR pin = ${pin}) AND id <> ${id} LIMIT 1`
  return row?.id as string | undefined
}

/** Remembers for ever that a key was revoked. @param hash SHA-256 of the key, hex */
export function* putRevokedKey(hash: string, member: string, now: number): Step<void> {
  yield sql`INSERT INTO revoked_keys (key_hash, member, revoked_at) VALUES (${hash}, ${member}, ${now})
    ON CONFLICT (key_hash) DO NOTHING`
}

export function* isRevokedKey(hash: string): Step<boolean> {
  return (yield sql`SELECT member FROM revoked_keys WHERE key_hash = ${hash}`).length > 0
}
