import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import { PelagoError } from '#kernel'
import type { AccessPorts } from '../acts/ports.ts'
import { roleArn } from '../arn.ts'
import { accessError } from '../errors.ts'
import { evaluate } from '../policy/evaluate.ts'
import type { Lookup } from '../policy/pattern.ts'
import { readAccessPolicy } from '../policy/read-policy.ts'
import { findAssumableRole } from '../records/assumable-roles.store.ts'
import { findTenant } from '../records/tenants.store.ts'
import { findWebIssuer, type WebIssuer } from '../records/web-issuers.store.ts'
import { type Credentials, giveOut, readWish, type Wish } from './assume-role.ts'
import type { WebKeys } from './web-keys.ts'

/** Signatures that can be checked with a public key alone. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const toleranceSeconds = 60

/**
 * Gives temporary credentials of a role to whoever has a token of an issuer that the role's tenant takes and the role trusts.
 * Source: AWS STS API Reference, AssumeRoleWithWebIdentity; the token is checked as RFC 7519 and OpenID Connect Core 3.1.3.7 ask.
 * @throws sts.argument, sts.packed, sts.identity, sts.identity-expired, sts.issuer, sts.denied, access-policy.invalid
 */
export async function assumeRoleWithWebIdentity(
  ports: AccessPorts & { webKeys: WebKeys },
  wish: Wish & { token: string; lookup: Lookup },
): Promise<Credentials & { issuer: string; audience: string; subject: string }> {
  const asked = readWish(wish)
  const stated = unproved(wish.token)
  const { role, tenant, issuer } = await ports.database.read(function* () {
    const role = yield* findAssumableRole(asked.tenant, asked.name)
    const tenant = yield* findTenant(asked.tenant)
    const issuer = yield* findWebIssuer(asked.tenant, stated)
    return { role: tenant?.state === 'active' ? role : undefined, tenant, issuer }
  })
  if (!issuer) throw accessError('sts.identity', { reason: `tokens of ${stated} are not taken for this role` })
  const claims = await prove(ports, issuer, wish.token)
  const denied = accessError('sts.denied', {
    ...{ who: `The subject ${claims.sub ?? ''}`, role: wish.roleArn },
    reason: 'its trust policy does not allow it, or there is no such role',
  })
  if (!role || !tenant) throw denied
  const decision = evaluate({
    action: 'sts:AssumeRoleWithWebIdentity',
    resource: roleArn(role.tenant, role.name),
    lookup: claimsOf(issuer.issuer, claims, wish.lookup),
    who: { tenant: role.tenant, arns: [issuer.issuer], owner: false },
    ...{ full: false, own: [], session: undefined },
    of: { policy: readAccessPolicy(role.trust, { on: 'trust' }), tenant: role.tenant, open: false },
  })
  if (!decision.allowed) throw denied
  const from = { ...asked, actor: `role ${role.id}`, way: 'web identity' as const }
  const credentials = await giveOut(ports, role, from, { tenantEpoch: tenant.epoch, issuer: issuer.issuer })
  return { ...credentials, issuer: issuer.issuer, audience: audiencesOf(claims)[0] ?? '', subject: claims.sub ?? '' }
}

/** Who the token says has issued it: only to find out by what it is to be proved. */
function unproved(token: string): string {
  try {
    const { iss } = decodeJwt(token)
    if (typeof iss === 'string' && iss !== '') return iss
  } catch (error) {
    throw accessError('sts.identity', { reason: 'it is no JSON Web Token' }, error)
  }
  throw accessError('sts.identity', { reason: 'it names no issuer' })
}

async function prove(
  { clock, webKeys }: { clock: AccessPorts['clock']; webKeys: WebKeys },
  { issuer, audiences, keysUrl }: WebIssuer,
  token: string,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, webKeys.of(issuer, keysUrl), {
      ...{ issuer, audience: audiences, algorithms },
      clockTolerance: toleranceSeconds,
      currentDate: new Date(clock.now()),
      requiredClaims: ['iss', 'sub', 'aud', 'exp'],
    })
    return payload
  } catch (error) {
    if (error instanceof PelagoError) throw error
    if (error instanceof errors.JWTExpired) throw accessError('sts.identity-expired', {}, error)
    const reason = error instanceof errors.JOSEError ? error.message : 'it cannot be checked'
    throw accessError('sts.identity', { reason }, error)
  }
}

const audiencesOf = ({ aud }: JWTPayload): string[] => (Array.isArray(aud) ? aud : aud === undefined ? [] : [aud])

/** Claims under the name that trust policies have for them: the issuer without its scheme, a colon, the claim. */
function claimsOf(issuer: string, claims: JWTPayload, rest: Lookup): Lookup {
  const facts = new Map<string, string | string[]>([['aws:federatedprovider', issuer]])
  const prefix = issuer.replace(/^https?:\/\//, '')
  for (const [name, value] of Object.entries(claims)) {
    const key = `${prefix}:${name}`.toLowerCase()
    if (typeof value === 'string') facts.set(key, value)
    else if (typeof value === 'number' || typeof value === 'boolean') facts.set(key, String(value))
    else if (Array.isArray(value) && value.every((one) => typeof one === 'string')) facts.set(key, value)
  }
  return (key) => facts.get(key) ?? rest(key)
}
