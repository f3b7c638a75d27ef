import type { PelagoError } from '#kernel'
import { bucketArn } from '../arn.ts'
import { accessError } from '../errors.ts'
import { type Condition, readCondition, type Version } from './conditions.ts'
import { beginningOf, type Lookup, matches, type Pattern, readPattern } from './pattern.ts'
import { type Principals, readPrincipals } from './principals.ts'
import { repeatedName } from './repeated-name.ts'
import { conditionKeys, isAction } from './vocabulary.ts'

/**
 * What a policy hangs on, which says what may stand in it: on people, groups, roles (`identity`), on temporary credentials
 * (`session`), on a bucket, or on a role to say who may assume it (`trust`).
 */
export type PolicyKind = { on: 'identity' } | { on: 'session' } | { on: 'bucket'; bucket: string } | { on: 'trust' }

/** One statement, ready to be asked. */
export type Statement = {
  sid: string | undefined
  /** Its place in the policy, from 0. */
  index: number
  deny: boolean
  principals: Principals | undefined
  /** The principals are those that it is not about. */
  except: boolean
  hasAction(action: string): boolean
  hasResource(resource: string, lookup: Lookup): boolean
  conditions: readonly { condition: Condition; key: string }[]
}

/** A policy that was read and checked, ready to be asked. Never changed, so that many requests may share it. */
export type AccessPolicy = { statements: readonly Statement[]; text: string }

/** Bytes of a policy at the most, as S3 has it for buckets. */
export const policyMost = 20 * 1024

type Fault = (reason: string) => PelagoError
const faultAt =
  (place: string): Fault =>
  (reason) =>
    accessError('access-policy.invalid', { place, reason })

/**
 * Reads a policy in S3's language and makes it ready to be asked. What is not understood is refused, never skipped.
 * Source: AWS IAM User Guide, "Grammar of the IAM JSON policy language".
 * @throws access-policy.invalid with the place in the document
 */
export function readAccessPolicy(text: string, kind: PolicyKind): AccessPolicy {
  const fault = faultAt('The policy')
  if (Buffer.byteLength(text) > policyMost) throw fault(`it has more than ${policyMost} bytes`)
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw fault(`it is not JSON (${error instanceof Error ? error.message : String(error)})`)
  }
  const twice = repeatedName(text)
  if (twice !== undefined) throw fault(`${twice} stands twice in one object; only the last would count`)
  const fields = fieldsOf(document, ['Version', 'Id', 'Statement'], fault)
  const version = fields.Version ?? '2008-10-17'
  if (version !== '2012-10-17' && version !== '2008-10-17')
    throw faultAt('Version')('it must be "2012-10-17" or "2008-10-17"')
  if (fields.Id !== undefined && typeof fields.Id !== 'string') throw faultAt('Id')('it must be a text')
  const listed = Array.isArray(fields.Statement) ? (fields.Statement as unknown[]) : [fields.Statement]
  if (fields.Statement === undefined || listed.length === 0) throw faultAt('Statement')('there is none')
  const statements = listed.map((statement, index) =>
    readStatement(statement, {
      index,
      version,
      kind,
      place: Array.isArray(fields.Statement) ? `Statement[${index}]` : 'Statement',
    }),
  )
  const sids = statements.flatMap(({ sid }) => (sid === undefined || sid === '' ? [] : [sid]))
  const same = sids.find((sid, at) => sids.indexOf(sid) !== at)
  if (same !== undefined) throw faultAt('Statement')(`two statements have the Sid ${same}`)
  return { statements, text }
}

const names = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]

type Where = { index: number; version: Version; kind: PolicyKind; place: string }

function readStatement(value: unknown, where: Where): Statement {
  const { index, place, kind } = where
  const fields = fieldsOf(value, names, faultAt(place))
  const { Sid: sid, Effect: effect } = fields
  if (sid !== undefined && typeof sid !== 'string') throw faultAt(`${place}.Sid`)('it must be a text')
  if (effect !== 'Allow' && effect !== 'Deny') throw faultAt(`${place}.Effect`)('it must be "Allow" or "Deny"')
  const deny = effect === 'Deny'
  const withPrincipal = kind.on === 'bucket' || kind.on === 'trust'
  const who = oneOf(fields, 'Principal', 'NotPrincipal', place, withPrincipal)
  if (who && !withPrincipal)
    throw faultAt(`${place}.${who.name}`)('a policy of people and roles is about whoever has it; leave this out')
  if (who?.name === 'NotPrincipal' && !deny)
    throw faultAt(`${place}.NotPrincipal`)('with "Allow" it would let in the rest of the world; name whom you mean')
  const action = oneOf(fields, 'Action', 'NotAction', place, true)
  const resource = oneOf(fields, 'Resource', 'NotResource', place, kind.on !== 'trust')
  if (resource && kind.on === 'trust')
    throw faultAt(`${place}.${resource.name}`)('a trust policy is about its role; leave this out')
  return {
    sid,
    index,
    deny,
    principals: who && readPrincipals(who.value, faultAt(`${place}.${who.name}`)),
    except: who?.name === 'NotPrincipal',
    hasAction: readActions(action as Element, where),
    hasResource: resource ? readResources(resource, where, deny) : () => true,
    conditions: fields.Condition === undefined ? [] : readConditions(fields.Condition, where, deny),
  }
}

type Element = { name: string; value: unknown }

function oneOf(
  fields: Record<string, unknown>,
  yes: string,
  no: string,
  place: string,
  must: boolean,
): Element | undefined {
  const found = [yes, no].filter((name) => fields[name] !== undefined)
  if (found.length > 1) throw faultAt(place)(`it has both ${yes} and ${no}`)
  const [name] = found
  if (name === undefined && must) throw faultAt(place)(`it has no ${yes}`)
  return name === undefined ? undefined : { name, value: fields[name] }
}

/** Requests ask about few actions, so what was found of each is kept. */
function readActions({ name, value }: Element, { place }: Where): (action: string) => boolean {
  const fault = faultAt(`${place}.${name}`)
  const patterns = texts(value, fault).map((text) => {
    const action = text.toLowerCase()
    if (action === '*') return readPattern('*', { wildcards: true, variables: false }, fault)
    if (!/^[a-z0-9-]+:[a-z0-9*?]+$/.test(action)) throw fault(`${text} is no action like s3:GetObject`)
    if (!/[*?]/.test(action) && !isAction(action)) throw fault(`there is no action ${text}`)
    return readPattern(action, { wildcards: true, variables: false }, fault)
  })
  const wanted = name === 'Action'
  const found = new Map<string, boolean>()
  return (action) => {
    let known = found.get(action)
    if (known === undefined) {
      known = patterns.some((pattern) => matches(pattern, action.toLowerCase(), nothing)) === wanted
      found.set(action, known)
    }
    return known
  }
}

const nothing: Lookup = () => undefined

function readResources(
  { name, value }: Element,
  where: Where,
  deny: boolean,
): (resource: string, lookup: Lookup) => boolean {
  const fault = faultAt(`${where.place}.${name}`)
  const patterns = texts(value, fault).map((text) => readResource(text, where, fault))
  const wanted = name === 'Resource'
  return (resource, lookup) => {
    let unknown = false
    for (const pattern of patterns) {
      const found = matches(pattern, resource, lookup)
      if (found) return wanted
      if (found === undefined) unknown = true
    }
    // A variable that stands for nothing must never widen what is allowed.
    return !wanted && (deny || !unknown)
  }
}

function readResource(text: string, { version, kind }: Where, fault: Fault): Pattern {
  const pattern = readPattern(text, { wildcards: true, variables: version === '2012-10-17' }, fault)
  if (text === '*') return pattern
  if (!/^arn:[^:]*:[^:]*:[^:]*:[^:]*:.+$/s.test(text)) throw fault(`${text} is no ARN like arn:aws:s3:::BUCKET/*`)
  if (kind.on !== 'bucket') return pattern
  const own = bucketArn(kind.bucket)
  const start = beginningOf(pattern)
  if (start !== own && !start.startsWith(`${own}/`)) throw fault(`${text} is not within the bucket ${kind.bucket}`)
  return pattern
}

function readConditions(value: unknown, { place, version, kind }: Where, deny: boolean): Statement['conditions'] {
  const blocks = objectOf(value, faultAt(`${place}.Condition`))
  return Object.entries(blocks).flatMap(([name, block]) => {
    const keys = Object.entries(objectOf(block, faultAt(`${place}.Condition.${name}`)))
    if (keys.length === 0) throw faultAt(`${place}.Condition.${name}`)('it has no key')
    return keys.map(([key, listed]) => {
      const fault = faultAt(`${place}.Condition.${name}.${key}`)
      // Claims of an issuer's token are named by the issuer, so nobody can list them.
      const claim = kind.on === 'trust' && /^\S+:[A-Za-z0-9_.-]+$/.test(key) && !/^(aws|s3|sts):/i.test(key)
      if (!claim && !conditionKeys.has(key.toLowerCase())) throw fault('requests have nothing of this name')
      const values = texts(listed, fault, true)
      return { key: key.toLowerCase(), condition: readCondition({ name, key, values, version, deny }, fault) }
    })
  })
}

function texts(value: unknown, fault: Fault, scalars = false): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw fault('it is empty')
  return list.map((one) => {
    if (typeof one === 'string' && (one !== '' || scalars)) return one
    if (scalars && (typeof one === 'boolean' || typeof one === 'number')) return String(one)
    throw fault(
      scalars ? 'it must be a text, a number, true, false, or a list of them' : 'it must be a text or a list of texts',
    )
  })
}

function objectOf(value: unknown, fault: Fault): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault('it must be an object')
  return value as Record<string, unknown>
}

function fieldsOf(value: unknown, known: readonly string[], fault: Fault): Record<string, unknown> {
  const fields = objectOf(value, fault)
  const stranger = Object.keys(fields).find((name) => !known.includes(name))
  if (stranger !== undefined) throw fault(`${stranger} is not known here`)
  return fields
}
