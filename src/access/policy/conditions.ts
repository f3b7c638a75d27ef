import { isWithin, readAddress, readNetwork } from './networks.ts'
import { type Lookup, matches, type Pattern, readPattern } from './pattern.ts'

/** Whether a value of the request is as the policy says. Undefined: a variable in the policy's value stands for nothing. */
type Test = (found: string, lookup: Lookup) => boolean | undefined
type Fault = (reason: string) => Error
type Kind = { read(value: string, version: Version, fault: Fault): Test }

/** The version of the language. Only the later one has variables. */
export type Version = '2008-10-17' | '2012-10-17'

/** One condition, ready to be asked. @returns whether the statement's condition holds */
export type Condition = (lookup: Lookup) => boolean

const hasVariables = (version: Version) => version === '2012-10-17'

const text = (change: (text: string) => string, wildcards: boolean): Kind => ({
  read(value, version, fault) {
    const pattern = readPattern(change(value), { wildcards, variables: hasVariables(version) }, fault)
    const changed = change === same ? undefined : change
    return (found, lookup) =>
      matches(
        pattern,
        change(found),
        changed
          ? (key) => {
              const said = lookup(key)
              return typeof said === 'string' ? changed(said) : said
            }
          : lookup,
      )
  },
})
const same = (value: string) => value
const lower = (value: string) => value.toLowerCase()

const number = (holds: (found: number, stated: number) => boolean): Kind => ({
  read(value, _, fault) {
    const stated = numberOf(value)
    if (stated === undefined) throw fault(`${value} is no number`)
    return (value) => {
      const found = numberOf(value)
      return found !== undefined && holds(found, stated)
    }
  },
})

function numberOf(value: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : undefined
}

const date = (holds: (found: number, stated: number) => boolean): Kind => ({
  read(value, _, fault) {
    const stated = dateOf(value)
    if (stated === undefined) throw fault(`${value} is no time like 2026-01-31T08:00:00Z, and no number of seconds`)
    return (value) => {
      const found = dateOf(value)
      return found !== undefined && holds(found, stated)
    }
  },
})

/** ISO 8601 as the W3C profiles it, or seconds since 1970 UTC. @returns milliseconds */
function dateOf(value: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(value) && value.length > 4) return Number(value) * 1000
  const form = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?)?)?$/
  const at = form.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

const flag: Kind = {
  read(value, _, fault) {
    const stated = lower(value)
    if (stated !== 'true' && stated !== 'false') throw fault('it must be true or false')
    return (found) => lower(found) === stated
  },
}

const network: Kind = {
  read(value, _, fault) {
    const stated = readNetwork(value)
    if (!stated) throw fault(`${value} is no address and no network like 192.0.2.0/24 or 2001:db8::/32`)
    return (value) => {
      const found = readAddress(value)
      return found !== undefined && isWithin(found, stated)
    }
  },
}

const arnParts = 6

/** Each of the six parts is matched for itself, so that a star in one does not reach into the next. */
const arn: Kind = {
  read(value, version, fault) {
    const parts = splitArn(value)
    if (!parts) throw fault(`${value} is no ARN of six parts`)
    const patterns: Pattern[] = parts.map((part) =>
      readPattern(part, { wildcards: true, variables: hasVariables(version) }, fault),
    )
    return (value, lookup) => {
      const found = splitArn(value)
      if (!found) return false
      let known = true
      for (const [at, pattern] of patterns.entries()) {
        const holds = matches(pattern, found[at] as string, lookup)
        if (holds === false) return false
        if (holds === undefined) known = false
      }
      return known ? true : undefined
    }
  },
}

/** Colons within a variable and behind the fifth do not part. */
function splitArn(value: string): string[] | undefined {
  const parts: string[] = []
  let start = 0
  let within = false
  for (let at = 0; at < value.length && parts.length < arnParts - 1; at++) {
    if (value[at] === '$' && value[at + 1] === '{') within = true
    else if (value[at] === '}') within = false
    else if (value[at] === ':' && !within) {
      parts.push(value.slice(start, at))
      start = at + 1
    }
  }
  parts.push(value.slice(start))
  return parts.length === arnParts && parts[0] === 'arn' ? parts : undefined
}

/** Operators by the name that policies have for them. `negated`: holds when none of the values matches. */
const operators = new Map<string, { kind: Kind; negated: boolean }>()
const both = (positive: string, negative: string, kind: Kind) => {
  operators.set(positive, { kind, negated: false })
  operators.set(negative, { kind, negated: true })
}
both('StringEquals', 'StringNotEquals', text(same, false))
both('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', text(lower, false))
both('StringLike', 'StringNotLike', text(same, true))
both('ArnEquals', 'ArnNotEquals', arn)
both('ArnLike', 'ArnNotLike', arn)
both('IpAddress', 'NotIpAddress', network)
operators.set('Bool', { kind: flag, negated: false })
for (const [name, kind] of [
  ['Numeric', number],
  ['Date', date],
] as const) {
  both(
    `${name}Equals`,
    `${name}NotEquals`,
    kind((found, stated) => found === stated),
  )
  operators.set(`${name}LessThan`, { kind: kind((found, stated) => found < stated), negated: false })
  operators.set(`${name}LessThanEquals`, { kind: kind((found, stated) => found <= stated), negated: false })
  operators.set(`${name}GreaterThan`, { kind: kind((found, stated) => found > stated), negated: false })
  operators.set(`${name}GreaterThanEquals`, { kind: kind((found, stated) => found >= stated), negated: false })
}

/**
 * Reads one operator with one key of a Condition block.
 * Source: AWS IAM User Guide, "IAM JSON policy elements: Condition operators". A key that the request does not have fails a
 * positive operator, holds for a negative one and for `…IfExists`; `ForAllValues` holds for no value at all, `ForAnyValue` does not.
 * @param deny whether the statement forbids: a variable that stands for nothing must never widen what is allowed
 */
export function readCondition(
  {
    name,
    key,
    values,
    version,
    deny,
  }: { name: string; key: string; values: string[]; version: Version; deny: boolean },
  fault: Fault,
): Condition {
  const found = key.toLowerCase()
  const [, set, base = '', ifExists] = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name) ?? []
  if (base === 'Null') {
    if (set !== undefined || ifExists !== undefined) throw fault('Null stands alone')
    const wanted = values.map((value) => {
      const stated = lower(value)
      if (stated !== 'true' && stated !== 'false') throw fault('it must be true or false')
      return stated === 'true'
    })
    return (lookup) => wanted.includes(lookup(found) === undefined)
  }
  const operator = operators.get(base)
  if (!operator) throw fault(`there is no operator ${name}`)
  const tests = values.map((value) => operator.kind.read(value, version, fault))
  /** Whether one value of the request is as said. */
  const holds = (value: string, lookup: Lookup): boolean => {
    let unknown = false
    for (const test of tests) {
      const result = test(value, lookup)
      if (result) return !operator.negated
      if (result === undefined) unknown = true
    }
    return operator.negated && (deny || !unknown)
  }
  return (lookup) => {
    const said = lookup(found)
    if (said === undefined)
      return ifExists !== undefined || set === 'ForAllValues' || (operator.negated && set === undefined)
    const list = typeof said === 'string' ? [said] : said
    if (set === 'ForAllValues') return list.every((value) => holds(value, lookup))
    if (set === 'ForAnyValue') return list.some((value) => holds(value, lookup))
    return operator.negated ? list.every((value) => holds(value, lookup)) : list.some((value) => holds(value, lookup))
  }
}
