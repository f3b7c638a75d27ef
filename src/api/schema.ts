import type { Json } from '#kernel'

/**
 * The shape of a value as data: it validates at run time and its static type is inferred, so that the contract is
 * written once. `T` exists for the type checker only.
 */
export type Schema<T> = Shape & { readonly type?: T }

/** The type of the values that a schema admits. */
export type Static<S> = S extends Schema<infer T> ? T : never

/** `about`: what it means, where its name does not say so. */
type Shape = { readonly about?: string } & (
  | { kind: 'text'; min: number; max: number; pattern?: string; means?: string }
  | { kind: 'number'; min: number; max: number; whole: boolean }
  | { kind: 'flag' }
  | { kind: 'choice'; of: readonly string[] }
  | { kind: 'list'; of: Shape; max: number }
  | { kind: 'record'; of: Shape; max: number }
  | { kind: 'fields'; of: Readonly<Record<string, Shape>> }
  | { kind: 'optional'; of: Shape }
  | { kind: 'nullable'; of: Shape }
  | { kind: 'json'; max: number }
)

type Fields = Record<string, Schema<unknown>>
type OptionalNames<F extends Fields> = { [N in keyof F]: F[N] extends { kind: 'optional' } ? N : never }[keyof F]
type FieldsType<F extends Fields> = { [N in Exclude<keyof F, OptionalNames<F>>]: Static<F[N]> } & {
  [N in OptionalNames<F>]?: Static<F[N]>
}
type Flat<T> = T extends infer U ? { [N in keyof U]: U[N] } : never

/** A string of `min` to `max` UTF-16 units. `means` says in words what the pattern asks for. */
export function text(
  limits: { min?: number; max?: number; pattern?: string; means?: string } = {},
): Schema<string> & { kind: 'text' } {
  const { pattern, means } = limits
  return {
    kind: 'text',
    min: limits.min ?? 0,
    max: limits.max ?? 1024,
    ...(pattern !== undefined && { pattern }),
    ...(means !== undefined && { means }),
  }
}

/** A whole number that a double can hold exactly. */
export function integer(limits: { min?: number; max?: number } = {}): Schema<number> & { kind: 'number' } {
  return {
    kind: 'number',
    min: limits.min ?? Number.MIN_SAFE_INTEGER,
    max: limits.max ?? Number.MAX_SAFE_INTEGER,
    whole: true,
  }
}

/** This one number. */
export function exactly<const T extends number>(value: T): Schema<T> & { kind: 'number' } {
  return { kind: 'number', min: value, max: value, whole: true }
}

export function number(limits: { min?: number; max?: number } = {}): Schema<number> & { kind: 'number' } {
  return { kind: 'number', min: limits.min ?? -Number.MAX_VALUE, max: limits.max ?? Number.MAX_VALUE, whole: false }
}

export function flag(): Schema<boolean> & { kind: 'flag' } {
  return { kind: 'flag' }
}

/** One of a few words. */
export function choice<const T extends string>(...of: T[]): Schema<T> & { kind: 'choice' } {
  return { kind: 'choice', of }
}

export function list<T>(of: Schema<T>, max = 10_000): Schema<T[]> & { kind: 'list' } {
  return { kind: 'list', of, max }
}

/** Any names to values of one shape. */
export function record<T>(of: Schema<T>, max = 1000): Schema<Record<string, T>> & { kind: 'record' } {
  return { kind: 'record', of, max }
}

/** Exactly these fields; another field is a fault, so that a misspelt one is not silently ignored. */
export function fields<F extends Fields>(of: F): Schema<Flat<FieldsType<F>>> & { kind: 'fields' } {
  return { kind: 'fields', of }
}

/** A field that may be absent. Only inside `fields`. */
export function optional<T>(of: Schema<T>): Schema<T> & { kind: 'optional' } {
  return { kind: 'optional', of }
}

export function nullable<T>(of: Schema<T>): Schema<T | null> & { kind: 'nullable' } {
  return { kind: 'nullable', of }
}

/** Says in one line what a value means. */
export function about<S extends Shape>(words: string, schema: S): S {
  return { ...schema, about: words }
}

/** Any JSON value whose text has at most `max` UTF-16 units. */
export function json(max = 1024 * 1024): Schema<Json> & { kind: 'json' } {
  return { kind: 'json', max }
}

/** Where a value departs from its schema, and how: `providers[2].country` must be … */
export type Fault = { path: string; fault: string }

/**
 * Compares a value with a schema.
 * @returns the first departure, or undefined when there is none
 */
export function faultOf(schema: Schema<unknown>, value: unknown, path = ''): Fault | undefined {
  const say = (fault: string): Fault => ({ path: path || 'value', fault })
  switch (schema.kind) {
    case 'text':
      if (typeof value !== 'string') return say('must be a text')
      if (value.length < schema.min)
        return say(schema.min === 1 ? 'must not be empty' : `needs ${schema.min} characters`)
      if (value.length > schema.max) return say(`may have at most ${schema.max} characters`)
      if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
        return say(schema.means ?? `must match ${schema.pattern}`)
      return undefined
    case 'number':
      if (typeof value !== 'number' || !Number.isFinite(value)) return say('must be a number')
      if (schema.whole && !Number.isSafeInteger(value)) return say('must be a whole number')
      if (value < schema.min || value > schema.max) return say(`must lie between ${schema.min} and ${schema.max}`)
      return undefined
    case 'flag':
      return typeof value === 'boolean' ? undefined : say('must be true or false')
    case 'choice':
      return typeof value === 'string' && schema.of.includes(value)
        ? undefined
        : say(`must be ${schema.of.map((word) => `"${word}"`).join(' or ')}`)
    case 'list':
      if (!Array.isArray(value)) return say('must be a list')
      if (value.length > schema.max) return say(`may have at most ${schema.max} entries`)
      return firstOf(value.map((entry, at) => () => faultOf(schema.of, entry, `${path}[${at}]`)))
    case 'record':
      if (!isPlain(value)) return say('must be an object')
      if (Object.keys(value).length > schema.max) return say(`may have at most ${schema.max} entries`)
      return firstOf(
        Object.entries(value).map(
          ([name, entry]) =>
            () =>
              faultOf(schema.of, entry, join(path, name)),
        ),
      )
    case 'fields':
      if (!isPlain(value)) return say('must be an object')
      return unknownField(schema.of, value, path) ?? firstOf(fieldChecks(schema.of, value, path))
    case 'optional':
      return value === undefined ? undefined : faultOf(schema.of, value, path)
    case 'nullable':
      return value === null ? undefined : faultOf(schema.of, value, path)
    case 'json':
      return value !== undefined && JSON.stringify(value).length <= schema.max
        ? undefined
        : say(`must be JSON of at most ${schema.max} characters`)
  }
}

function fieldChecks(of: Readonly<Record<string, Shape>>, value: Record<string, unknown>, path: string) {
  return Object.entries(of).map(([name, shape]) => () => {
    // Only the value's own fields count: a name like `constructor` must not be answered by the prototype.
    const own = Object.hasOwn(value, name) ? value[name] : undefined
    if (own === undefined)
      return shape.kind === 'optional' ? undefined : { path: join(path, name), fault: 'is missing' }
    return faultOf(shape, own, join(path, name))
  })
}

function unknownField(of: Readonly<Record<string, Shape>>, value: object, path: string): Fault | undefined {
  const stranger = Object.keys(value).find((name) => !Object.hasOwn(of, name))
  if (stranger === undefined) return undefined
  return { path: join(path, stranger), fault: `is not known here; known are ${Object.keys(of).join(', ') || 'none'}` }
}

function firstOf(checks: (() => Fault | undefined)[]): Fault | undefined {
  for (const check of checks) {
    const fault = check()
    if (fault) return fault
  }
  return undefined
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function join(path: string, name: string): string {
  return path ? `${path}.${name}` : name
}
