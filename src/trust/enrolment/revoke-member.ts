import { appendFact } from '#journal'
import type { Call } from '#kernel'
import { enrolmentError } from './errors.ts'
import { dropInvitations } from './invitations.store.ts'
import { keyHash } from './join-member.ts'
import type { Member, MemberKind } from './member.ts'
import { findMember, putMember, putRevokedKey } from './members.store.ts'
import type { EnrolmentPorts } from './ports.ts'

/**
 * Ends a membership: the next directory does not have it, its signatures are refused from now on, and its keys never come
 * back. What is revoked already stays so.
 * @throws member.missing
 */
export async function revokeMember(
  { clock, database, journal, state }: EnrolmentPorts,
  call: Call,
  { kind, member: id }: { kind: MemberKind; member: string },
): Promise<Member> {
  const at = clock.now()
  return database.transact(function* () {
    const member = yield* findMember(id)
    if (!member || member.kind !== kind) throw enrolmentError('member.missing', { kind, member: id })
    yield* dropInvitations(id)
    if (member.state === 'revoked') return member
    const revoked: Member = { ...member, state: 'revoked', revokedAt: at }
    yield* putMember(revoked)
    yield* putRevokedKey(keyHash(member.publicKey), id, at)
    if (member.pin !== '') yield* putRevokedKey(member.pin, id, at)
    yield* appendFact(journal, {
      ...{ topic: 'member.revoked', about: id, actor: call.actor, tenant: '', at },
      facts: { kind, key: keyHash(member.publicKey) },
    })
    yield* state(at)
    return revoked
  })
}
