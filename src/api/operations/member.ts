import type { ApiRole } from '../operation.ts'
import { operation } from '../operation.ts'
import { about, choice, fields, flag, integer, json, list, nullable, optional, type Static, text } from '../schema.ts'
import { bytes, nothing, time } from './words.ts'

/** Whoever answers for who belongs to the federation. */
const clerks: readonly ApiRole[] = ['owner', 'clerk']
const memberId = text({
  min: 1,
  max: 64,
  pattern: '^[a-z][a-z0-9-]*$',
  means: 'must be a short name of a-z, 0-9 and hyphen that begins with a letter',
})
const country = text({ pattern: '^[A-Z]{2}$', means: 'must be a country, by two letters (ISO 3166-1)' })
const words = text({ min: 1, max: 200 })
const hexKey = text({ pattern: '^[0-9a-f]{64}$', means: 'must be a public key, 64 hex digits' })
const base64 = text({ min: 4, max: 1000, pattern: '^[A-Za-z0-9+/]+={0,2}$', means: 'must be base64' })
const again = about('It is enrolled, and is to come with other keys or another address.', optional(flag()))
const memberKind = choice('gateway', 'provider')
const certificate = about('PEM: its own certificate, and the one of the authority behind it.', text({ max: 16_384 }))
const authority = about('PEM: the certificate of the authority of the federation.', text({ max: 16_384 }))

const invited = fields({
  code: about('Good once; whoever has it becomes this member.', text({ max: 4096 })),
  expiresAt: time,
})
const common = { server: 'federation' as const, reach: 'house' as const }

export const inviteGateway = operation({
  ...common,
  id: 'gateway.invite',
  summary: 'Makes a code by which a gateway joins the federation; an earlier one for it ends.',
  method: 'POST',
  idempotency: 'key',
  path: '/v1/gateways/{gateway}/invitations',
  roles: clerks,
  states: ['member.invited'],
  input: fields({ gateway: memberId, again }),
  output: invited,
  errors: ['member.id', 'member.kind', 'member.enrolled', 'invitation.many'],
})

export const inviteProvider = operation({
  ...common,
  id: 'provider.invite',
  summary: 'Makes a code by which a provider joins, and says what the federation will state about it.',
  method: 'POST',
  idempotency: 'key',
  path: '/v1/providers/{provider}/invitations',
  roles: clerks,
  states: ['member.invited'],
  input: fields({
    provider: memberId,
    name: words,
    country: about('Where the bytes lie.', country),
    owner: about('Who owns it in the end: two providers of one owner count as one.', words),
    ownerCountry: country,
    attestations: list(words, 100),
    again,
  }),
  output: invited,
  errors: ['member.id', 'member.kind', 'member.enrolled', 'invitation.many'],
})

export const joinFederation = operation({
  ...common,
  id: 'member.join',
  summary: 'Lets in whoever was invited. The request is signed by the identity that it brings (RFC 9421).',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/members',
  roles: ['anyone'],
  reach: 'open',
  states: ['member.joined', 'directory.signed', 'certificate.issued'],
  input: fields({
    invitation: text({ min: 1, max: 64 }),
    secret: text({ min: 1, max: 128 }),
    publicKey: about('X25519, in hex: for requests of the shard protocol.', hexKey),
    identity: about('ECDSA on P-256, SubjectPublicKeyInfo (DER) in base64: of its certificate.', base64),
    endpoint: about('Where a provider is reached.', optional(text({ max: 300 }))),
    capacityBytes: about('What a provider takes at the most.', optional(bytes)),
  }),
  output: fields({
    id: text(),
    kind: memberKind,
    certificate,
    authority,
    directoryKey: about('Ed25519, in hex: signs the directory.', hexKey),
    directory: about('The signed directory.', json(4 * 1024 * 1024)),
  }),
  errors: [
    ...['join.spent', 'invitation.wrong', 'invitation.expired', 'invitation.used', 'member.key', 'member.endpoint'],
    ...['certificate.key', 'directory.unfit', 'signature.malformed', 'signature.wrong', 'signature.authority'],
  ],
})

const memberSchema = fields({
  id: text(),
  kind: memberKind,
  state: choice('active', 'revoked'),
  endpoint: about('Empty for a gateway.', text()),
  publicKey: hexKey,
  pin: about('SHA-256 of the key of its certificate; empty where it has none.', text()),
  since: time,
  revokedAt: nullable(time),
})
export type ApiMember = Static<typeof memberSchema>

export const listMembers = operation({
  ...common,
  id: 'member.list',
  summary: 'Lists who is, or was, enrolled.',
  method: 'GET',
  path: '/v1/members',
  roles: ['owner', 'admin', 'operator', 'clerk', 'auditor'],
  pages: true,
  input: fields({ after: optional(memberId), limit: optional(integer({ min: 1, max: 1000 })) }),
  output: fields({ members: list(memberSchema, 1000), next: nullable(text()) }),
  errors: [],
})

export const revokeMember = operation({
  ...common,
  id: 'member.revoke',
  summary: 'Ends a membership at once: its keys are refused, here and within seconds at every provider.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/members/{member}/revoke',
  roles: clerks,
  states: ['member.revoked', 'directory.signed'],
  input: fields({ member: memberId, kind: memberKind }),
  output: memberSchema,
  errors: ['member.missing'],
})

export const renewCertificate = operation({
  ...common,
  id: 'certificate.create',
  summary: 'Issues a new certificate to the member whose key has signed the request.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/certificates',
  roles: ['owner', 'machine'],
  states: ['certificate.issued'],
  input: nothing,
  output: fields({ certificate, authority }),
  errors: ['member.unsigned', 'member.unknown', 'member.revoked'],
})
