import { accountArn, personArn } from './arn.ts'
import type { Held } from './policy/evaluate.ts'
import type { Named } from './policy/principals.ts'
import type { AccessPolicy } from './policy/read-policy.ts'

/** Who signed a request, with all that it is judged by. Made once and shared by all requests until something changes. */
export type Caller = {
  tenant: string
  /** What journal and log call the caller; no name of a person. */
  actor: string
  /** What the caller is called in policies. */
  arn: string
  /** Undefined: nobody knows who. */
  named: Named | undefined
  /** May do in the tenant whatever is not forbidden. */
  full: boolean
  /** Owns the tenant, and so is never shut out of saying who may use a bucket. */
  owner: boolean
  own: readonly Held[]
  session: AccessPolicy | undefined
  /** What condition keys and variables of policies say about the caller, by key in lower case. */
  facts: ReadonlyMap<string, string>
}

/** Someone who owns the tenant, without policies. */
export function ownerOf(tenant: string, actor: string, name = actor): Caller {
  const arn = personArn(tenant, name)
  return {
    tenant,
    actor,
    arn,
    named: { tenant, arns: [arn, accountArn(tenant)], owner: true },
    full: true,
    owner: true,
    own: [],
    session: undefined,
    facts: personFacts(tenant, actor, name),
  }
}

/** Facts about a person, or a program. */
export function personFacts(tenant: string, id: string, name: string): Map<string, string> {
  return new Map([
    ['aws:username', name],
    ['aws:userid', id],
    ['aws:principalarn', personArn(tenant, name)],
    ['aws:principalaccount', tenant],
    ['aws:principaltype', 'User'],
  ])
}

/** Whoever signs nothing. */
export const stranger: Caller = {
  tenant: '',
  actor: 'anonymous',
  arn: '*',
  named: undefined,
  full: false,
  owner: false,
  own: [],
  session: undefined,
  facts: new Map([
    ['aws:principaltype', 'Anonymous'],
    ['aws:userid', 'anonymous'],
  ]),
}
