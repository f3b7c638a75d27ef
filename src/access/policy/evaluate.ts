import type { Lookup } from './pattern.ts'
import { isAllowed, isExcepted, isForbidden, type Named } from './principals.ts'
import type { AccessPolicy, Statement } from './read-policy.ts'

/** A policy with the words by which a refusal names it. */
export type Held = { policy: AccessPolicy; name: string }

/** Everything that a request is judged by. */
export type Question = {
  /** `s3:GetObject` */
  action: string
  /** ARN. */
  resource: string
  lookup: Lookup
  /** Undefined: nobody knows. */
  who: Named | undefined
  /** May do everything that is not forbidden, without a policy that says so. */
  full: boolean
  /** Of the person with their groups, or of the role. */
  own: readonly Held[]
  /** Of temporary credentials. They only intersect: what they do not allow is not allowed. */
  session: AccessPolicy | undefined
  /** Of the resource, with the tenant that it belongs to; `open`: it may let in strangers. */
  of: { policy: AccessPolicy; tenant: string; open: boolean } | undefined
}

/** What was decided, and the statement that decided it. */
export type Decision = {
  allowed: boolean
  /**
   * `forbidden`: a statement denies. `session`: the session's policy does not allow. `resource`: of two tenants, the resource's
   * does not allow. `unallowed`: no policy allows. `full`: nothing forbids it, and none is needed.
   */
  by: 'forbidden' | 'session' | 'resource' | 'unallowed' | 'allowed' | 'full'
  policy?: string
  statement?: Statement
}

const sessionName = 'the policy of the session'
const resourceName = 'the policy of the bucket'

/**
 * Decides about one request. A statement that denies wins over all that allow. Then a session's policy must allow, if there is one;
 * then the asker's own policies or, where both belong to one tenant, the resource's; of two tenants both must.
 * Source: AWS IAM User Guide, "Policy evaluation logic"; other than there, a session's policy also bounds what a bucket's allows.
 */
export function evaluate(question: Question): Decision {
  const { own, session, of, who, full } = question
  for (const { policy, name } of own) {
    const statement = find(policy, true, question)
    if (statement) return { allowed: false, by: 'forbidden', policy: name, statement }
  }
  if (session) {
    const statement = find(session, true, question)
    if (statement) return { allowed: false, by: 'forbidden', policy: sessionName, statement }
  }
  if (of) {
    const statement = find(of.policy, true, question)
    if (statement) return { allowed: false, by: 'forbidden', policy: resourceName, statement }
  }
  let allowed: Decision | undefined
  if (full) allowed = { allowed: true, by: 'full' }
  else {
    for (const { policy, name } of own) {
      const statement = find(policy, false, question)
      if (statement) {
        allowed = { allowed: true, by: 'allowed', policy: name, statement }
        break
      }
    }
  }
  if (session && !find(session, false, question)) return { allowed: false, by: 'session' }
  const foreign = of !== undefined && who?.tenant !== of.tenant
  if (allowed && !foreign) return allowed
  const statement = of && find(of.policy, false, question)
  if (!statement) return { allowed: false, by: foreign && allowed ? 'resource' : 'unallowed' }
  if (foreign && who && !allowed) return { allowed: false, by: 'unallowed' }
  return { allowed: true, by: 'allowed', policy: resourceName, statement }
}

/** The first statement of this effect that is about the request, in one policy alone. */
export function find({ statements }: AccessPolicy, deny: boolean, question: Question): Statement | undefined {
  for (const statement of statements) {
    if (statement.deny === deny && isAbout(statement, question)) return statement
  }
  return undefined
}

function isAbout(statement: Statement, { action, resource, lookup, who, of }: Question): boolean {
  if (!statement.hasAction(action)) return false
  const { principals, deny, except } = statement
  if (principals) {
    if (
      except
        ? isExcepted(principals, who)
        : deny
          ? !isForbidden(principals, who)
          : !isAllowed(principals, who, of?.tenant ?? '', of?.open ?? false)
    )
      return false
  }
  if (!statement.hasResource(resource, lookup)) return false
  for (const { condition } of statement.conditions) if (!condition(lookup)) return false
  return true
}

/** A decision in words, for whoever was refused and may know why. */
export function explain(
  { by, policy, statement }: Decision,
  { action, resource }: Pick<Question, 'action' | 'resource'>,
): string {
  const which = statement && (statement.sid ? `the statement "${statement.sid}"` : `statement ${statement.index + 1}`)
  switch (by) {
    case 'forbidden':
      return `${which} of ${policy} forbids ${action} on ${resource}`
    case 'session':
      return `${sessionName} does not allow ${action} on ${resource}`
    case 'resource':
      return `${resourceName}, which belongs to another tenant, does not allow ${action} on ${resource}`
    case 'unallowed':
      return `no policy allows ${action} on ${resource}`
    case 'allowed':
      return `${which} of ${policy} allows ${action} on ${resource}`
    case 'full':
      return `nothing forbids ${action} on ${resource}`
  }
}

/** Whether a bucket's policy lets in whoever is on the network: a statement allows everybody, and no condition narrows who that is. */
export function isPublic({ statements }: AccessPolicy): boolean {
  return statements.some(
    ({ deny, principals, conditions }) =>
      !deny && principals?.everybody && !conditions.some(({ key }) => narrowing.has(key)),
  )
}

const narrowing = new Set(['aws:sourceip', 'aws:principalarn', 'aws:principalaccount', 'aws:userid', 'aws:username'])
