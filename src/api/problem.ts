import { type Details, type ErrorKind, PelagoError } from '#kernel'
import { apiError } from './errors.ts'
import { about, faultOf, fields, flag, integer, json, optional, text } from './schema.ts'

/** An error on the wire: RFC 9457 problem details, with our stable code. */
export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  code: string
  kind: ErrorKind
  retryable: boolean
  details: Details
  trace?: string
}

const statusOf: Record<ErrorKind, number> = {
  invalid: 400,
  denied: 403,
  missing: 404,
  conflict: 409,
  precondition: 412,
  exhausted: 507,
  unavailable: 503,
  uncertain: 504,
  corrupt: 500,
  unbuilt: 501,
  internal: 500,
}

/** Where HTTP has a word of its own. */
const ownStatus: Record<string, number> = {
  'request.unauthenticated': 401,
  'request.large': 413,
  'attempts.spent': 429,
  'request.reused': 422,
  'request.rate': 429,
  'request.keys': 429,
}

/** The status under which an error travels. */
export function statusFor(code: string, kind: ErrorKind): number {
  return ownStatus[code] ?? statusOf[kind]
}

const titles: Record<ErrorKind, string> = {
  invalid: 'The request is not valid',
  denied: 'Not allowed',
  missing: 'Not found',
  conflict: 'In conflict with what is there',
  precondition: 'Not in the expected state',
  exhausted: 'No room left',
  unavailable: 'Not available now',
  uncertain: 'Outcome unknown',
  corrupt: 'Damaged data',
  unbuilt: 'Not built yet',
  internal: 'Internal error',
}

/** What a kind of error means, in words for people. */
export const titleOf = (kind: ErrorKind): string => titles[kind]

/**
 * Writes an error for the wire. What is not an error of ours may hold anything, so only its trace is told.
 * @param trace names the request in the log
 * @param as the status where the edge knows better than the error's kind
 */
export function problemOf(error: unknown, trace: string, as?: number): Problem {
  const known = error instanceof PelagoError ? error : apiError('server.failed', { trace })
  const status = as ?? statusFor(known.code, known.kind)
  return {
    type: `urn:pelago:error:${known.code}`,
    title: titles[known.kind],
    status,
    detail: known.message,
    code: known.code,
    kind: known.kind,
    retryable: known.retryable,
    details: known.details,
    trace,
  }
}

/** A problem as it crosses the wire. */
export const problemSchema = fields({
  type: text(),
  title: text(),
  status: integer(),
  detail: text({ max: 100_000 }),
  code: about('Stable; programs decide by it.', text()),
  kind: text(),
  retryable: about('Whether the same may be asked again later.', flag()),
  details: about('What the sentence is about, for programs.', json()),
  trace: about('Names the request in the log.', optional(text())),
})

/** Reads an error off the wire; undefined when it is none of ours. */
export function errorOf(body: unknown): PelagoError | undefined {
  if (faultOf(problemSchema, body)) return undefined
  const { code, kind, retryable, detail, details } = body as Problem
  if (!Object.hasOwn(statusOf, kind)) return undefined
  const row = { kind, retryable, message: '{detail}' }
  const facts = typeof details === 'object' && details !== null && !Array.isArray(details) ? details : {}
  return new PelagoError(code, row, { ...facts, detail })
}
