import { createHash } from 'node:crypto'
import { appendFact, once } from '#journal'
import { type Call, canonicalJson, type Json } from '#kernel'
import { enrolmentError } from './errors.ts'
import { countInvitations, dropInvitations, insertInvitation } from './invitations.store.ts'
import { isMemberId, type MemberKind } from './member.ts'
import { findMember } from './members.store.ts'
import type { EnrolmentPorts } from './ports.ts'

/** An invitation is good for so long, milliseconds. */
export const invitationMs = 24 * 60 * 60 * 1000
const invitationsMost = 1000

/** What whoever is invited has to show; the secret is told this once. */
export type Invited = { invitation: string; secret: string; expiresAt: number }

/**
 * Invites somebody into the federation: whoever shows the secret first, within a day, becomes that member. An earlier
 * invitation of the same member ends.
 * @param input.facts what the federation will state about a provider; null for a gateway
 * @param input.again the member is enrolled, and is to come with other keys or another address
 * @throws member.id, member.kind, member.enrolled, invitation.many
 */
export async function inviteMember(
  ports: EnrolmentPorts,
  call: Call,
  input: { kind: MemberKind; member: string; facts: Json; again: boolean },
): Promise<Invited> {
  const { kind, member, facts, again } = input
  const { clock, database, random } = ports
  if (!isMemberId(member)) throw enrolmentError('member.id', { member })
  const at = clock.now()
  const secret = Buffer.from(random.bytes(32)).toString('base64url')
  const drawn = { invitation: Buffer.from(random.bytes(12)).toString('hex'), secret, expiresAt: at + invitationMs }
  return database.transact(() =>
    once(call, 'invite', function* () {
      const known = yield* findMember(member)
      if (known && known.kind !== kind) throw enrolmentError('member.kind', { member, kind: known.kind })
      if (known?.state === 'active' && !again) throw enrolmentError('member.enrolled', { member, kind })
      if ((yield* countInvitations(at)) >= invitationsMost)
        throw enrolmentError('invitation.many', { most: invitationsMost })
      yield* dropInvitations(member)
      const { invitation: id, expiresAt } = drawn
      yield* insertInvitation({ id, secret: secretHash(secret), kind, member, facts, expiresAt, pin: undefined })
      const digest = createHash('sha256').update(canonicalJson(facts)).digest('hex')
      yield* appendFact(ports.journal, {
        ...{ topic: 'member.invited', about: member, actor: call.actor, tenant: '', at },
        facts: { kind, facts: digest, expiresAt },
      })
      return drawn
    }),
  )
}

/** What is kept of an invitation's secret: 256 drawn bits need no slow hash. */
export const secretHash = (secret: string) => createHash('sha256').update(secret).digest('hex')
