import { createPublicKey } from 'node:crypto'
import * as api from '#api'
import { appendFact } from '#journal'
import type { Call, Json } from '#kernel'
import { rawPublicKey } from '#storage'
import {
  checkContentDigest,
  checkSignature,
  enrolmentError,
  findMember,
  inviteMember,
  issueCertificate,
  joinMember,
  type Member,
  type MemberKind,
  membersAfter,
  openIdentity,
  pinOfKey,
  readSignature,
  revokeMember,
  writeInvitationCode,
} from '#trust'
import type { Federation } from './federation.ts'
import { type ApiCall, type Handler, handles } from './handler.ts'

const usual = 200

/** What a federation answers: who belongs to it, and to its members. */
export function federationOperations(federation: Federation): Handler[] {
  return [
    handles(api.getDirectory, async () => {
      const { directory, signature } = await federation.directory()
      return { version: directory.version, directory, signature }
    }),
    handles(api.inviteGateway, (call, { gateway, again }) =>
      invite(federation, call, { kind: 'gateway', member: gateway, facts: null, again }),
    ),
    handles(api.inviteProvider, (call, { provider, again, ...facts }) =>
      invite(federation, call, { kind: 'provider', member: provider, facts, again }),
    ),
    handles(api.joinFederation, (call, input) => {
      const identity = Buffer.from(input.identity, 'base64')
      checkOwnSignature(federation, call, identity)
      return join(federation, call, { ...input, identity, address: call.address })
    }),
    handles(api.listMembers, async (_, { after = '', limit = usual }) => {
      const members = await federation.database.read(() => membersAfter(after, limit))
      return { members: members.map(shown), next: members.length === limit ? (members.at(-1)?.id ?? null) : null }
    }),
    handles(api.revokeMember, async (call, input) => shown(await revokeMember(federation.enrolment, call, input))),
    handles(api.renewCertificate, async (call) => {
      if (call.principal?.kind !== 'signature') throw enrolmentError('member.unsigned')
      const member = await federation.database.read(() => findMember(call.actor))
      if (member?.state !== 'active') throw enrolmentError('member.revoked', { member: call.actor })
      return certify(federation, member)
    }),
  ]
}

/** Makes an invitation, and writes it as a code. */
export async function invite(
  { enrolment, url, authority }: Federation,
  call: Call,
  input: { kind: MemberKind; member: string; facts: Json; again: boolean | undefined },
): Promise<{ code: string; expiresAt: number }> {
  const { kind, member, facts, again = false } = input
  const { expiresAt, ...invited } = await inviteMember(enrolment, call, { kind, member, facts, again })
  const pin = pinOfKey(authority.certificate.publicKey)
  return { code: writeInvitationCode({ kind, member, url, authority: pin, ...invited }), expiresAt }
}

/** Lets in whoever was invited, with all that he needs to begin. Whoever calls it knows that he has the key of `identity`. */
export async function join(
  federation: Federation,
  call: Call,
  input: {
    invitation: string
    secret: string
    publicKey: string
    identity: Uint8Array
    endpoint?: string
    capacityBytes?: number
    address: string
  },
): Promise<api.Output<typeof api.joinFederation>> {
  const { endpoint, capacityBytes } = input
  const member = await joinMember(federation.enrolment, call, { ...input, endpoint, capacityBytes })
  const signed = await federation.directory()
  return {
    ...{ id: member.id, kind: member.kind, ...(await certify(federation, member)) },
    ...{
      directoryKey: Buffer.from(rawPublicKey(createPublicKey(federation.key))).toString('hex'),
      directory: signed as unknown as Json,
    },
  }
}

/** Who joins is known to nobody yet: the key that he brings has signed the request, or nothing is looked at. */
function checkOwnSignature({ clock, url }: Federation, call: ApiCall, identity: Uint8Array): void {
  const signature = readSignature(call, { authorities: [new URL(url).host], now: clock.now() })
  checkSignature(signature, openIdentity(identity))
  checkContentDigest(call.headers['content-digest'], call.body)
}

async function certify(
  { authority, clock, random, database, journal, lifeMs }: Federation,
  { id, kind, identity, endpoint, pin }: Member,
): Promise<{ certificate: string; authority: string }> {
  if (!identity) throw enrolmentError('member.unknown', { member: id })
  const at = clock.now()
  const names = endpoint === '' ? [] : [new URL(endpoint).hostname.replace(/^\[|\]$/g, '')]
  const serial = random.bytes(16)
  const issue = { role: kind, id, publicKey: identity, names, now: at, serial, lifeMs }
  const certificate = await issueCertificate(authority, issue)
  await database.transact(() =>
    appendFact(journal, {
      ...{ topic: 'certificate.issued', about: id, actor: kind, tenant: '', at },
      facts: { pin, until: at + lifeMs },
    }),
  )
  return { certificate, authority: authority.certificate.toString() }
}

function shown({ id, kind, state, endpoint, publicKey, pin, since, revokedAt }: Member): api.ApiMember {
  return { id, kind, state, endpoint, publicKey, pin, since, revokedAt: revokedAt ?? null }
}
