import type { Json } from './canonical.ts'

/**
 * What an error means to whoever catches it, whichever plane raised it.
 * `uncertain`: the outcome is unknown; retry only with the same idempotency id.
 */
export type ErrorKind =
  | 'invalid'
  | 'denied'
  | 'missing'
  | 'conflict'
  | 'precondition'
  | 'exhausted'
  | 'unavailable'
  | 'uncertain'
  | 'corrupt'
  | 'unbuilt'
  | 'internal'

/** What fills the places of a message, and what an edge may show beside it. */
export type Details = Record<string, Json>

export type ErrorRow = { kind: ErrorKind; retryable: boolean; message: string }

/** An error with a stable code out of its plane's table. The message says what to do, with `{name}` places filled in. */
export class PelagoError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly retryable: boolean
  readonly details: Details
  /** The message without what only its receiver may read: names of buckets, objects, people and keys. */
  readonly discreet: string

  constructor(code: string, row: ErrorRow, details: Details = {}, cause?: unknown) {
    super(fill(row.message, details), cause === undefined ? undefined : { cause })
    this.name = 'PelagoError'
    this.code = code
    this.kind = row.kind
    this.retryable = row.retryable
    this.details = details
    this.discreet = fill(row.message, withheld(details))
  }
}

/**
 * Builds a plane's thrower from its table, so that a code without a row does not type-check.
 * @param table code -> kind, retryable, message template
 * @returns `fail(code, details?, cause?)`, which makes (not throws) the error; its `rows` are the table, for documentation
 */
export function errorTable<T extends Record<string, ErrorRow>>(table: T) {
  const fail = (code: keyof T & string, details?: Details, cause?: unknown): PelagoError =>
    new PelagoError(code, table[code] as ErrorRow, details, cause)
  const rows: Readonly<Record<string, ErrorRow>> = table
  return Object.assign(fail, { rows })
}

/** True for an error of this code, whichever plane made it. */
export function hasCode(error: unknown, ...codes: string[]): error is PelagoError {
  return error instanceof PelagoError && codes.includes(error.code)
}

/** Places of messages that name what belongs to somebody. */
const names: ReadonlySet<string> = new Set(['bucket', 'key', 'upload', 'id', 'email', 'person', 'name', 'subject'])

function withheld(details: Details): Details {
  const safe: Details = {}
  for (const name in details) safe[name] = names.has(name) ? '(withheld)' : (details[name] as Json)
  return safe
}

/**
 * Why something failed, in words that may be written into a log: without names of what belongs to somebody.
 * @param stack with where it happened
 */
export function reasonOf(error: unknown, stack = false): string {
  if (!(error instanceof Error)) return String(error)
  const reason = error instanceof PelagoError ? error.discreet : error.message
  if (!stack || error.stack === undefined) return reason
  return error.stack.replace(error.message, () => reason)
}

function fill(template: string, details: Details): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = details[name]
    if (value === undefined) return place
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}
