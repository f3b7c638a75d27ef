import { createPublicKey } from 'node:crypto'
import type { Call, Clock, Database } from '#kernel'
import type { Nonces } from '../signatures/nonces.ts'
import { checkSignature, readSignature, type SignableRequest } from '../signatures/request-signature.ts'
import { enrolmentError } from './errors.ts'
import type { Member } from './member.ts'
import { findMember } from './members.store.ts'

type Ports = {
  database: Database
  clock: Clock
  nonces: Nonces
  /** Hosts with ports under which this federation is asked. */
  authorities: readonly string[]
}

/**
 * Finds out which member has signed a request. Its body is not known yet: who reads it compares it with the digest that was
 * signed (`checkContentDigest`).
 * @throws signature.*, member.unknown, member.revoked
 */
export async function knowMember(
  { database, clock, nonces, authorities }: Ports,
  _: Call,
  request: SignableRequest,
): Promise<Member> {
  const now = clock.now()
  const signature = readSignature(request, { authorities, now })
  const member = await database.read(() => findMember(signature.keyId))
  if (!member?.identity) throw enrolmentError('member.unknown', { member: signature.keyId })
  checkSignature(signature, createPublicKey({ key: Buffer.from(member.identity), format: 'der', type: 'spki' }))
  if (member.state === 'revoked') throw enrolmentError('member.revoked', { member: member.id })
  // Last, so that nobody else uses up what this member may still send.
  nonces.admit(member.id, signature.nonce, signature.expires, now)
  return member
}
