import { roleNames } from '#kernel'
import { journalError } from './errors.ts'

/**
 * What a fact may hold. There is no kind for free text, so that no name, address or secret can slip in:
 * `hidden` is handed over in clear and kept as a keyed hash only.
 */
type Kind =
  | { kind: 'id' | 'member' | 'hidden' | 'count' | 'digest' | 'countries' | 'code' | 'version' }
  | { kind: 'word'; of: readonly string[] }
type Shape = { about: Kind; says: string; facts: Readonly<Record<string, Kind>> }

/** The kinds of value, as the table below uses them. */
const is = {
  /** An identifier that tells nothing: hex digits, as `freshName` and hashes give. */
  id: { kind: 'id' },
  /** The short public name of a provider, a gateway or a part of Pelago. */
  member: { kind: 'member' },
  hidden: { kind: 'hidden' },
  count: { kind: 'count' },
  /** SHA-256, or a public key, in hex. */
  digest: { kind: 'digest' },
  countries: { kind: 'countries' },
  /** A stable code, as errors have. */
  code: { kind: 'code' },
  version: { kind: 'version' },
} as const
const word = <const W extends string>(...of: W[]) => ({ kind: 'word', of }) as const

const policy = {
  policy: is.digest,
  policyEpoch: is.count,
  jurisdictions: is.countries,
  ownersRefused: is.countries,
  losses: is.count,
}
const quota = { limits: word('nothing', 'bytes', 'objects', 'both'), bytes: is.count, objects: is.count }
const role = word('federation', 'gateway', 'supervisor')
const member = word('gateway', 'provider')

/** Every administrative and security act that is logged: what it is about, and which facts belong to it. */
export const topics = {
  'bucket.created': {
    about: is.id,
    says: 'a bucket was created',
    facts: { name: is.hidden, ...policy, etags: word('md5', 'opaque') },
  },
  'bucket.deleted': { about: is.id, says: 'an empty bucket was deleted', facts: { name: is.hidden } },
  'bucket.policy': { about: is.id, says: 'where its bytes may lie was changed', facts: { name: is.hidden, ...policy } },
  'bucket.etags': {
    about: is.id,
    says: 'what its ETags are was changed',
    facts: { name: is.hidden, etags: word('md5', 'opaque') },
  },
  'bucket.quota': {
    about: is.id,
    says: 'how much may be stored in it was said anew',
    facts: { name: is.hidden, ...quota },
  },
  'bucket.access.set': {
    about: is.id,
    says: 'who may use it was said anew',
    facts: { name: is.hidden, policy: is.digest, public: word('yes', 'no') },
  },
  'bucket.access.deleted': {
    about: is.id,
    says: 'who may use it is said by nobody any more but by its tenant',
    facts: { name: is.hidden },
  },
  'tenant.created': { about: is.member, says: 'a tenant was created', facts: {} },
  'tenant.changed': {
    about: is.member,
    says: 'whether a tenant may do anything, and whether its buckets may let in everybody, was said anew',
    facts: { state: word('active', 'disabled'), public: word('yes', 'no') },
  },
  'tenant.quota': {
    about: is.member,
    says: 'how much a tenant may store was said anew',
    facts: quota,
  },
  'tenant.revoked': {
    about: is.member,
    says: 'every session and every temporary credential of a tenant was ended',
    facts: { epoch: is.count },
  },
  'person.created': { about: is.id, says: 'a person, or a program, became known', facts: { name: is.hidden } },
  'person.granted': { about: is.id, says: 'somebody was given a role', facts: { role: word(...roleNames) } },
  'person.withdrawn': { about: is.id, says: 'a role was taken from somebody', facts: { role: word(...roleNames) } },
  'person.state': {
    about: is.id,
    says: 'whether somebody may do anything was said anew',
    facts: { state: word('active', 'disabled') },
  },
  'person.revoked': {
    about: is.id,
    says: 'every session and every temporary credential of somebody was ended',
    facts: { epoch: is.count },
  },
  'person.deleted': { about: is.id, says: 'somebody was deleted with their keys', facts: { name: is.hidden } },
  'group.created': { about: is.id, says: 'a group was created', facts: { name: is.hidden } },
  'group.deleted': { about: is.id, says: 'a group was deleted', facts: { name: is.hidden } },
  'group.joined': { about: is.id, says: 'somebody was put into a group', facts: { person: is.id } },
  'group.left': { about: is.id, says: 'somebody was taken out of a group', facts: { person: is.id } },
  'key.created': { about: is.hidden, says: 'an access key was made for somebody', facts: { person: is.id } },
  'key.state': {
    about: is.hidden,
    says: 'whether an access key is good was said anew',
    facts: { person: is.id, state: word('active', 'disabled') },
  },
  'key.deleted': { about: is.hidden, says: 'an access key was deleted', facts: { person: is.id } },
  'access.policy.set': {
    about: is.id,
    says: 'what a person, a group or a role of STS may do was said anew',
    facts: { name: is.hidden, policy: is.digest },
  },
  'access.policy.deleted': {
    about: is.id,
    says: 'a policy of a person, a group or a role of STS was deleted',
    facts: { name: is.hidden },
  },
  'assumable.created': {
    about: is.id,
    says: 'a role of STS was created',
    facts: { name: is.hidden, trust: is.digest },
  },
  'assumable.trusted': {
    about: is.id,
    says: 'who may assume a role of STS was said anew',
    facts: { trust: is.digest },
  },
  'assumable.revoked': {
    about: is.id,
    says: 'every temporary credential of a role of STS was ended',
    facts: { epoch: is.count },
  },
  'assumable.deleted': { about: is.id, says: 'a role of STS was deleted', facts: { name: is.hidden } },
  'assumable.assumed': {
    about: is.id,
    says: 'temporary credentials of a role of STS were given out',
    facts: { session: is.hidden, seconds: is.count, by: word('key', 'web identity') },
  },
  'issuer.set': {
    about: is.hidden,
    says: 'the tokens of an issuer are taken from here on',
    facts: { audiences: is.digest },
  },
  'issuer.deleted': { about: is.hidden, says: 'the tokens of an issuer are not taken any more', facts: {} },
  'epoch.begun': {
    about: is.id,
    says: 'a new epoch of the keys of a bucket, or of the packs of a policy, began',
    facts: { kind: word('bucket', 'packs'), epoch: is.count },
  },
  'epoch.destroyed': {
    about: is.id,
    says: 'the keys of all epochs below this one were destroyed, after nothing used them any more',
    facts: { kind: word('bucket', 'packs'), below: is.count, epochs: is.count },
  },
  'epoch.ended': {
    about: is.id,
    says: 'the keys of all epochs of a bucket that was deleted were destroyed',
    facts: { epochs: is.count },
  },
  'root.taken': {
    about: is.digest,
    says: 'the keys of all epochs are wrapped by another root key from here on; about is the hash of its name',
    facts: { epochs: is.count },
  },
  'kit.made': { about: is.id, says: 'a recovery kit was made', facts: {} },
  'kit.tested': {
    about: is.id,
    says: 'two files of a recovery kit were shown to open it',
    facts: {},
  },
  'kit.discarded': {
    about: is.id,
    says: 'all copies of a recovery kit were said to be destroyed',
    facts: {},
  },
  'directory.signed': {
    about: is.member,
    says: 'the federation stated who its members are',
    facts: { version: is.count, providers: is.count, gateways: is.count, digest: is.digest },
  },
  'directory.taken': {
    about: is.member,
    says: 'a gateway took over a directory of the federation',
    facts: { version: is.count, providers: is.count, gateways: is.count, digest: is.digest },
  },
  'member.invited': {
    about: is.member,
    says: 'somebody was invited into the federation by a code; facts is the hash of what would be stated about a provider',
    facts: { kind: member, facts: is.digest, expiresAt: is.count },
  },
  'member.joined': {
    about: is.member,
    says: 'somebody joined the federation with these keys, by such a code',
    facts: { kind: member, pin: is.digest, key: is.digest },
  },
  'member.taken': {
    about: is.member,
    says: 'a member of the configuration was taken in',
    facts: { kind: member, key: is.digest },
  },
  'member.revoked': {
    about: is.member,
    says: 'a membership was ended, and this key with it',
    facts: { kind: member, key: is.digest },
  },
  'certificate.issued': {
    about: is.member,
    says: 'a member got a certificate for its key',
    facts: { pin: is.digest, until: is.count },
  },
  'certificate.taken': {
    about: is.digest,
    says: 'the gateways show this certificate from here on to whoever connects to their endpoints',
    facts: { by: word('self-made', 'acme'), names: is.count, until: is.count },
  },
  'provider.stopped': { about: is.member, says: 'a provider was stopped by command', facts: {} },
  'provider.started': { about: is.member, says: 'a provider was started by command', facts: {} },
  'role.started': {
    about: is.member,
    says: 'a process of Pelago began to serve',
    facts: { role, version: is.version },
  },
  'role.stopped': { about: is.member, says: 'a process of Pelago was told to stop', facts: { role } },
  'data.reset': {
    about: is.member,
    says: 'all data of this folder was deleted before this start; the log that was deleted had this size and root',
    facts: { size: is.count, root: is.digest },
  },
  'passkey.registered': {
    about: is.id,
    says: 'a person registered a passkey',
    facts: { passkey: is.id },
  },
  'passkey.removed': { about: is.id, says: 'a person removed a passkey', facts: { passkey: is.id } },
  'passkey.regressed': {
    about: is.id,
    says: 'a passkey counted backwards, as a copy of it would',
    facts: { passkey: is.id, before: is.count, now: is.count },
  },
  'identity.linked': {
    about: is.id,
    says: 'a person signed in with an identity provider for the first time',
    facts: { issuer: is.hidden, by: word('invitation', 'rule') },
  },
  'session.opened': {
    about: is.id,
    says: 'a person signed in',
    facts: { session: is.id, method: word('passkey', 'provider', 'login') },
  },
  'session.ended': { about: is.id, says: 'a session was ended by command', facts: { session: is.id } },
  'admin.code': {
    about: is.hidden,
    says: 'the machine gave out a code for the first owner of a tenant',
    facts: { expiresAt: is.count },
  },
  'admin.claimed': { about: is.id, says: 'somebody became the first owner with that code', facts: {} },
  'person.invited': { about: is.id, says: 'a person was invited by a code', facts: { expiresAt: is.count } },
  'invitation.claimed': { about: is.id, says: 'a person came with that code', facts: {} },
  'recovery.planned': {
    about: is.hidden,
    says: 'a tenant said who helps people who have lost their passkeys',
    facts: { needed: is.count, helpers: is.count },
  },
  'recovery.requested': {
    about: is.id,
    says: 'somebody who says to be this person wishes to be let in again',
    facts: { recovery: is.id },
  },
  'recovery.approved': {
    about: is.id,
    says: 'a helper confirmed a recovery; it may be completed from readyAt on, or 0',
    facts: { recovery: is.id, approvals: is.count, needed: is.count, readyAt: is.count },
  },
  'recovery.cancelled': { about: is.id, says: 'a recovery was stopped', facts: { recovery: is.id } },
  'recovery.completed': {
    about: is.id,
    says: 'a recovery was completed: what the person signed in with before is void',
    facts: { recovery: is.id },
  },
  'recovery.lapsed': { about: is.id, says: 'a recovery took too long', facts: { recovery: is.id } },
  'job.cancelled': { about: is.id, says: 'a job was ended by command', facts: { kind: is.code } },
  'job.retried': { about: is.id, says: 'a job was taken up again by command', facts: { kind: is.code } },
  'job.hastened': { about: is.code, says: 'lasting work was taken up at once by command', facts: {} },
  'login.approved': {
    about: is.id,
    says: 'a person let a program be him; it is signed in when it comes for its session',
    facts: {},
  },
  'log.key': {
    about: is.id,
    says: 'heads are signed with another key from here on',
    facts: { generation: is.count, key: is.digest },
  },
  'log.restored': {
    about: is.id,
    says: 'the database was put back to an older state; the log named here had this size and root, and goes on under a new name',
    facts: { size: is.count, root: is.digest, generation: is.count },
  },
} as const satisfies Record<string, Shape>

export type Topic = keyof typeof topics

type Value<K> = K extends { kind: 'count' }
  ? number
  : K extends { kind: 'countries' }
    ? readonly string[]
    : K extends { kind: 'word'; of: readonly (infer W)[] }
      ? W
      : string

export type FactsOf<T extends Topic> = {
  -readonly [F in keyof (typeof topics)[T]['facts']]: Value<(typeof topics)[T]['facts'][F]>
}

/** How each kind is recognised, and what it is in words for the page of formats. */
const texts: Record<'id' | 'member' | 'digest' | 'code' | 'version', RegExp> = {
  id: /^[0-9a-f]{16,64}$/,
  member: /^[a-z][a-z0-9-]{0,63}$/,
  digest: /^[0-9a-f]{64}$/,
  code: /^[a-z]{1,32}(\.[a-z]{1,32}){1,3}$/,
  version: /^[0-9]{1,5}(\.[0-9]{1,5}){0,2}$/,
}
const country = /^[A-Z]{2,3}$/
const mostHidden = 4096

function fits(kind: Kind, value: unknown): boolean {
  switch (kind.kind) {
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0
    case 'countries':
      return Array.isArray(value) && value.length <= 300 && value.every((entry) => country.test(String(entry)))
    case 'word':
      return typeof value === 'string' && kind.of.includes(value)
    case 'hidden':
      return typeof value === 'string' && value.length <= mostHidden
    default:
      return typeof value === 'string' && texts[kind.kind].test(value)
  }
}

/**
 * Puts what is stated into the shape of its topic, and hides what is to be hidden.
 * @param hide keyed hash of a text
 * @throws fact.unfit for a topic, a fact or a value that the table does not have
 */
export function admit(
  topic: string,
  about: unknown,
  facts: Readonly<Record<string, unknown>>,
  hide: (text: string) => string,
): { about: string; facts: Record<string, string | number | string[]> } {
  const shape: Shape | undefined = Object.hasOwn(topics, topic) ? topics[topic as Topic] : undefined
  if (!shape) throw journalError('fact.unfit', { topic, fault: 'there is no such topic' })
  const put = (name: string, kind: Kind, value: unknown) => {
    if (!fits(kind, value)) throw journalError('fact.unfit', { topic, fault: `${name} is no ${kind.kind}` })
    return kind.kind === 'hidden' ? hide(value as string) : (value as string | number | string[])
  }
  const stranger = Object.keys(facts).find((name) => !Object.hasOwn(shape.facts, name))
  if (stranger !== undefined)
    throw journalError('fact.unfit', { topic, fault: 'it has a fact that is not in the table' })
  return {
    about: put('about', shape.about, about) as string,
    facts: Object.fromEntries(Object.entries(shape.facts).map(([name, kind]) => [name, put(name, kind, facts[name])])),
  }
}
