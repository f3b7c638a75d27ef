import { accountArn } from '../arn.ts'

/** Whom a request comes from, as policies name them. */
export type Named = {
  tenant: string
  /** Every ARN that means this one and not others: of the person, or of the role and the session. */
  arns: readonly string[]
  /** Owns the tenant. */
  owner: boolean
}

/** Who a statement is about. */
export type Principals = { everybody: boolean; tenants: ReadonlySet<string>; arns: ReadonlySet<string> }

/**
 * Reads a Principal element: `"*"`, or `{"AWS": …}` with tenants and the ARNs of people, roles and their sessions.
 * `{"CanonicalUser": …}` takes the ID that Pelago states as owner, which is the tenant; `{"Federated": …}` an issuer.
 */
export function readPrincipals(value: unknown, fault: (reason: string) => Error): Principals {
  const tenants = new Set<string>()
  const arns = new Set<string>()
  let everybody = false
  if (value === '*') return { everybody: true, tenants, arns }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fault('it must be "*" or an object like {"AWS": "arn:aws:iam::TENANT:user/NAME"}')
  if (Object.keys(value).length === 0) throw fault('it names nobody')
  for (const [kind, listed] of Object.entries(value)) {
    if (kind !== 'AWS' && kind !== 'CanonicalUser' && kind !== 'Federated')
      throw fault(`there are no principals of the kind ${kind}`)
    const names: unknown[] = Array.isArray(listed) ? listed : [listed]
    if (names.length === 0) throw fault('it names nobody')
    for (const name of names) {
      if (typeof name !== 'string' || name === '') throw fault('each principal is a text')
      if (kind === 'Federated') arns.add(name)
      else if (name === '*') everybody = true
      else if (/[*?]/.test(name)) throw fault(`${name} has a wildcard; only "*" alone means everybody`)
      else if (/^arn:aws:(iam|sts)::[^:/]+:(user|role|assumed-role)\/.+$/.test(name)) arns.add(name)
      else {
        const tenant = /^arn:aws:iam::([^:/]+):root$/.exec(name)?.[1] ?? (/^[^:/]+$/.test(name) ? name : undefined)
        if (tenant === undefined)
          throw fault(`${name} is no tenant and no ARN of a person or role, such as ${accountArn('TENANT')}`)
        tenants.add(tenant)
      }
    }
  }
  return { everybody, tenants, arns }
}

const meansOne = ({ arns }: Principals, who: Named) => who.arns.some((arn) => arns.has(arn))

/**
 * Whether a statement that allows means whoever asks.
 * A tenant that is named lets another tenant's own policies decide about its people; within the tenant it is the owner.
 * @param open whether "everybody" reaches beyond the tenant whose policy it is
 */
export function isAllowed(stated: Principals, who: Named | undefined, tenant: string, open: boolean): boolean {
  if (stated.everybody && (open || who?.tenant === tenant)) return true
  if (!who) return false
  if (stated.tenants.has(who.tenant) && (who.owner || who.tenant !== tenant)) return true
  return meansOne(stated, who)
}

/** Whether a statement that forbids means whoever asks: here a tenant is all of its people. */
export function isForbidden(stated: Principals, who: Named | undefined): boolean {
  if (stated.everybody) return true
  return who !== undefined && (stated.tenants.has(who.tenant) || meansOne(stated, who))
}

/** Whether "everybody but these" leaves out whoever asks. A tenant leaves out its owner only, so that nobody slips out with it. */
export function isExcepted(stated: Principals, who: Named | undefined): boolean {
  if (stated.everybody) return true
  return who !== undefined && ((who.owner && stated.tenants.has(who.tenant)) || meansOne(stated, who))
}
