import { createHash, timingSafeEqual } from 'node:crypto'
import { appendFact } from '#journal'
import type { Call, Row, Statement } from '#kernel'
import { publicKeyOf } from '../certificates/material.ts'
import { pinOf } from '../certificates/pin.ts'
import { enrolmentError } from './errors.ts'
import {
  countJoin,
  findInvitation,
  forgetJoins,
  type Invitation,
  type JoinLimit,
  useInvitation,
} from './invitations.store.ts'
import { secretHash } from './invite-member.ts'
import type { Member } from './member.ts'
import { findKeyHolder, findMember, isRevokedKey, putMember } from './members.store.ts'
import type { EnrolmentPorts } from './ports.ts'

type Step<T> = Generator<Statement, T, Row[]>

export type Joining = {
  invitation: string
  secret: string
  /** X25519, public, hex. */
  publicKey: string
  /** ECDSA on P-256, SubjectPublicKeyInfo in DER. */
  identity: Uint8Array
  /** Of a provider. */
  endpoint: string | undefined
  capacityBytes: number | undefined
  /** Where the request comes from. */
  address: string
}

/** Secrets have 256 bits, so this is for load and for people who mistype, not for guesses. */
const addressLimit: JoinLimit = { most: 20, withinMs: 15 * 60_000 }
const allLimit: JoinLimit = { most: 1000, withinMs: 15 * 60_000 }

/**
 * Lets in who was invited. The request must have been signed by the identity that it brings: the edge has checked that. A
 * repetition with the same keys is answered again, for whoever did not hear the first answer; other keys are refused.
 * @throws join.spent, invitation.wrong, invitation.expired, invitation.used, member.key, member.endpoint, certificate.key, and
 *   what `state` throws
 */
export async function joinMember(ports: EnrolmentPorts, _: Call, input: Joining): Promise<Member> {
  const { clock, database, journal } = ports
  const { address, identity, publicKey } = input
  publicKeyOf(identity)
  const at = clock.now()
  const wait = await database.transact(function* () {
    return Math.max(yield* countJoin(`from ${address}`, at, addressLimit), yield* countJoin('all', at, allLimit))
  })
  if (wait > 0) throw enrolmentError('join.spent', { retryAfter: Math.ceil(wait / 1000) })
  const pin = pinOf(identity)
  return database.transact(function* () {
    const found = yield* findInvitation(input.invitation)
    if (!found || !isSecret(found, input.secret)) throw enrolmentError('invitation.wrong')
    const { kind, member: id, facts } = found
    if (found.pin !== undefined && found.pin !== pin) throw enrolmentError('invitation.used', { member: id })
    if (found.expiresAt <= at)
      throw enrolmentError('invitation.expired', { until: new Date(found.expiresAt).toISOString() })
    const before = yield* findMember(id)
    if (before?.state === 'active' && before.pin === pin && before.publicKey === publicKey && found.pin === pin)
      return before
    yield* checkKeys(id, publicKey, pin)
    const member: Member = {
      ...{ id, kind, facts, publicKey, identity, pin, ...placeOf(found, input) },
      ...{ state: 'active', since: at, revokedAt: undefined },
    }
    yield* putMember(member)
    yield* useInvitation(found.id, pin)
    yield* forgetJoins(`from ${address}`)
    yield* appendFact(journal, {
      ...{ topic: 'member.joined', about: id, actor: kind, tenant: '', at },
      facts: { kind, pin, key: keyHash(publicKey) },
    })
    yield* ports.state(at)
    return member
  })
}

function isSecret({ secret }: Invitation, stated: string): boolean {
  return timingSafeEqual(Buffer.from(secret, 'hex'), Buffer.from(secretHash(stated), 'hex'))
}

/** @throws member.key */
function* checkKeys(id: string, publicKey: string, pin: string): Step<void> {
  const unfit = (reason: string) => enrolmentError('member.key', { member: id, reason })
  const holder = yield* findKeyHolder(id, publicKey, pin)
  if (holder !== undefined) throw unfit(`${holder} has one of them`)
  if ((yield* isRevokedKey(keyHash(publicKey))) || (yield* isRevokedKey(pin))) throw unfit('one of them was revoked')
}

/** @throws member.endpoint */
function placeOf(
  { kind }: Invitation,
  { endpoint, capacityBytes }: Joining,
): Pick<Member, 'endpoint' | 'capacityBytes'> {
  if (kind === 'gateway') return { endpoint: '', capacityBytes: 0 }
  const url = URL.parse(endpoint ?? '')
  if (endpoint === undefined || capacityBytes === undefined)
    throw enrolmentError('member.endpoint', { reason: 'one is missing' })
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '' || url.username !== '')
    throw enrolmentError('member.endpoint', { reason: `${endpoint} is no address such as https://HOST:PORT` })
  return { endpoint: url.origin, capacityBytes }
}

/** What a key of the shard protocol is known by in the log. @param publicKey hex */
export const keyHash = (publicKey: string) => createHash('sha256').update(Buffer.from(publicKey, 'hex')).digest('hex')
