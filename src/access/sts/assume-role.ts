import type { AccessKey } from '../access-key.ts'
import { type AccessPorts, state } from '../acts/ports.ts'
import { freshKeyId } from '../acts/keys.ts'
import { readRoleArn, roleArn, sessionArn } from '../arn.ts'
import type { Caller } from '../caller.ts'
import { accessError } from '../errors.ts'
import { find, type Question } from '../policy/evaluate.ts'
import type { Lookup } from '../policy/pattern.ts'
import { type AccessPolicy, readAccessPolicy } from '../policy/read-policy.ts'
import { type AssumableRole, findAssumableRole } from '../records/assumable-roles.store.ts'
import { findPersonById } from '../records/people.store.ts'
import { findTenant } from '../records/tenants.store.ts'
import { sealSession, type SessionClaims, sessionPrefix } from './session-token.ts'

/** What every way of assuming a role asks for. */
export type Wish = {
  roleArn: string
  sessionName: string
  /** Inline session policy. */
  policy?: string | undefined
  seconds?: number | undefined
}

/** Temporary credentials, as they are given out once. */
export type Credentials = {
  id: string
  secret: string
  token: string
  /** Milliseconds since 1970 UTC. */
  expiresAt: number
  /** Of the session. */
  arn: string
  userId: string
  /** How much of what a session policy may have this one has, per cent. */
  packed: number | undefined
}

const sessionName = /^[\w+=,.@-]{2,64}$/
const usualSeconds = 3600
export const fewestSeconds = 900
/** The longest that a role may allow. */
export const mostSeconds = 43_200
const policyMost = 2048

/**
 * Gives temporary credentials of a role to whoever holds an access key and is trusted by it. Within a tenant it is enough to be
 * named by the trust policy; where that names the tenant, one's own policies must allow it, and across tenants both must.
 * Source: AWS STS API Reference, AssumeRole.
 * @param lookup what the request says about itself
 * @throws sts.argument, sts.packed, sts.denied, access-policy.invalid
 */
export async function assumeRole(
  ports: AccessPorts,
  key: AccessKey,
  wish: Wish & { lookup: Lookup },
): Promise<Credentials> {
  const { caller } = key
  const asked = readWish(wish)
  if (caller.facts.get('aws:principaltype') !== 'User')
    throw accessError('sts.denied', {
      ...{ who: caller.arn, role: wish.roleArn },
      reason: 'temporary credentials cannot get others; use the access key that they came from',
    })
  const { role, tenantEpoch, by } = await ports.database.read(function* () {
    const role = yield* findAssumableRole(asked.tenant, asked.name)
    const tenant = yield* findTenant(asked.tenant)
    const person = yield* findPersonById(caller.actor)
    const own = yield* findTenant(caller.tenant)
    const by = person &&
      own && {
        ...{ key: key.id, person: person.id, personEpoch: person.epoch },
        ...{ tenant: own.id, tenantEpoch: own.epoch },
      }
    return { role: tenant?.state === 'active' ? role : undefined, tenantEpoch: tenant?.epoch ?? 0, by }
  })
  const reason = role && by ? refusal(role, caller, wish.lookup) : 'no policy allows it, or there is no such role'
  if (!role || !by || reason !== undefined)
    throw accessError('sts.denied', { who: caller.arn, role: wish.roleArn, reason: reason ?? '' })
  return giveOut(ports, role, { ...asked, actor: caller.actor, way: 'key' }, { tenantEpoch, by })
}

/** Why a role may not be assumed; undefined when it may. */
function refusal(role: AssumableRole, caller: Caller, lookup: Lookup): string | undefined {
  const trust = readAccessPolicy(role.trust, { on: 'trust' })
  const question: Question = {
    action: 'sts:AssumeRole',
    resource: roleArn(role.tenant, role.name),
    ...{ lookup, who: caller.named, full: false, own: [], session: undefined },
    of: { policy: trust, tenant: role.tenant, open: false },
  }
  const hidden = 'no policy allows it, or there is no such role'
  if (find(trust, true, question)) return caller.tenant === role.tenant ? 'its trust policy forbids it' : hidden
  if (caller.own.some(({ policy }) => find(policy, true, question))) return 'your policies forbid it'
  // Whoever is named together with all of the tenant is trusted if his own policies say so.
  const trusted = caller.named && find(trust, false, { ...question, who: { ...caller.named, owner: true } })
  if (!trusted) return hidden
  if (caller.full || caller.own.some(({ policy }) => find(policy, false, question))) return undefined
  if (caller.tenant === role.tenant && find(trust, false, question)) return undefined
  return 'its trust policy leaves it to your own policies, and none allows it'
}

type Asked = { tenant: string; name: string; sessionName: string; policy?: string; packed?: number; seconds?: number }

/** @throws sts.argument, sts.packed, access-policy.invalid */
export function readWish({ roleArn: arn, sessionName: session, policy, seconds }: Wish): Asked {
  const role = readRoleArn(arn)
  if (!role)
    throw accessError('sts.argument', { name: 'RoleArn', reason: 'it must be like arn:aws:iam::TENANT:role/NAME' })
  if (!sessionName.test(session))
    throw accessError('sts.argument', {
      name: 'RoleSessionName',
      reason: 'it has 2 to 64 of letters, digits and _+=,.@-',
    })
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= fewestSeconds && seconds <= mostSeconds))
    throw accessError('sts.argument', {
      name: 'DurationSeconds',
      reason: `it must be from ${fewestSeconds} to ${mostSeconds}, and not more than the role allows`,
    })
  const asked = { ...role, sessionName: session, ...(seconds !== undefined && { seconds }) }
  if (policy === undefined) return asked
  const packed = Math.ceil((100 * policy.length) / policyMost)
  if (packed > 100) throw accessError('sts.packed', { percent: packed, most: policyMost })
  return { ...asked, policy: readSession(policy).text, packed }
}

const readSession = (policy: string): AccessPolicy => readAccessPolicy(policy, { on: 'session' })

/** Seals the credentials, and states that they were given out before anybody has them. @throws sts.argument */
export async function giveOut(
  ports: AccessPorts,
  role: AssumableRole,
  asked: Asked & { actor: string; way: 'key' | 'web identity' },
  origin: Pick<SessionClaims, 'tenantEpoch' | 'by' | 'issuer'>,
): Promise<Credentials> {
  const seconds = asked.seconds ?? Math.min(usualSeconds, role.longestSeconds)
  if (seconds > role.longestSeconds)
    throw accessError('sts.argument', { name: 'DurationSeconds', reason: `the role allows ${role.longestSeconds}` })
  const issuedAt = ports.clock.now()
  const expiresAt = issuedAt + 1000 * seconds
  const claims: SessionClaims = {
    ...origin,
    ...{ tenant: role.tenant, role: role.id, roleEpoch: role.epoch, name: asked.sessionName, issuedAt, expiresAt },
    ...(asked.policy !== undefined && { policy: asked.policy }),
  }
  const id = freshKeyId(ports, sessionPrefix)
  const sealed = await sealSession(ports.keyring, id, claims)
  const who = { actor: asked.actor, tenant: role.tenant }
  const facts = { session: asked.sessionName, seconds, by: asked.way }
  await ports.database.transact(() => state(ports, who, 'assumable.assumed', role.id, facts))
  return {
    ...{ id, ...sealed, expiresAt },
    arn: sessionArn(role.tenant, role.name, asked.sessionName),
    userId: `${role.id}:${asked.sessionName}`,
    packed: asked.packed,
  }
}
