import { appendFact } from '#journal'
import type { Call } from '#kernel'
import { keyHash } from './join-member.ts'
import type { Member } from './member.ts'
import { findMember, putMember } from './members.store.ts'
import type { EnrolmentPorts } from './ports.ts'

/**
 * Takes in who was written down in a configuration before there were invitations; who is known already is left as he is.
 * @returns how many were new
 */
export async function takeMembers(
  { clock, database, journal, state }: EnrolmentPorts,
  call: Call,
  { members }: { members: readonly Omit<Member, 'since' | 'state' | 'revokedAt'>[] },
): Promise<number> {
  const at = clock.now()
  return database.transact(function* () {
    let taken = 0
    for (const member of members) {
      if (yield* findMember(member.id)) continue
      yield* putMember({ ...member, state: 'active', since: at, revokedAt: undefined })
      yield* appendFact(journal, {
        ...{ topic: 'member.taken', about: member.id, actor: call.actor, tenant: '', at },
        facts: { kind: member.kind, key: keyHash(member.publicKey) },
      })
      taken++
    }
    yield* state(at)
    return taken
  })
}
