import { type EgressAnswer, fromUtf8, type PelagoError } from '#kernel'
import { endpointError } from '../errors.ts'

/** A JSON object that nobody has looked into yet. */
export type Fields = Readonly<Record<string, unknown>>

/** Longest that an authority may tell us to wait, milliseconds. */
const waitMostMs = 24 * 60 * 60 * 1000
const detailMost = 500

/** @throws acme.answer when the body is no JSON object */
export function fieldsOf(server: string, { body }: EgressAnswer): Fields {
  try {
    const value: unknown = JSON.parse(fromUtf8(body))
    if (isFields(value)) return value
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
  }
  throw strange(server, 'its body is no JSON object')
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws acme.answer when the field is missing or empty */
export function textOf(server: string, fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value === 'string' && value !== '') return value
  throw strange(server, `${name} is missing`)
}

/** @throws acme.answer when the field is no list of objects */
export function listOf(server: string, fields: Fields, name: string): Fields[] {
  const value = fields[name]
  if (Array.isArray(value) && value.every(isFields)) return value
  throw strange(server, `${name} is no list`)
}

export const strange = (server: string, reason: string) => endpointError('acme.answer', { server, reason })

/**
 * How long `Retry-After` (RFC 9110 section 10.2.3) says to wait, milliseconds; seconds or a date.
 * @returns undefined when it does not say so
 */
export function retryAfterMs({ headers }: Pick<EgressAnswer, 'headers'>, now: number): number | undefined {
  const text = headers['retry-after']?.trim()
  if (text === undefined || text === '') return undefined
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), waitMostMs)
}

/** What went wrong, as an authority says it (RFC 7807, RFC 8555 section 6.7). */
export type AcmeProblem = {
  /** Without `urn:ietf:params:acme:error:`. */
  type: string
  detail: string
}

/** @param value a problem document, or what stands in its place */
export function problemOf(value: unknown): AcmeProblem {
  const fields = isFields(value) ? value : {}
  const type = typeof fields.type === 'string' ? fields.type : 'none'
  const parts = Array.isArray(fields.subproblems) ? fields.subproblems.filter(isFields) : []
  const details = [fields, ...parts].map(({ detail }) => detail).filter((one) => typeof one === 'string')
  return {
    type: plain(type.replace('urn:ietf:params:acme:error:', ''), 100),
    detail: sentence(plain(details.join(' ') || 'it gives no reason', detailMost)),
  }
}

/** What strangers say goes into logs and onto terminals: without signs that steer either. */
const plain = (text: string, most: number) => text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, most)

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)

/** The error that a refused request is. @param now milliseconds since 1970 */
export function refusalOf(server: string, answer: EgressAnswer, now: number): PelagoError {
  const { type, detail } = problemIn(server, answer)
  const { status } = answer
  const wait = retryAfterMs(answer, now)
  if (type === 'rateLimited' || status === 429) {
    const waitMs = wait ?? 60 * 60 * 1000
    return endpointError('acme.limited', { server, detail, again: new Date(now + waitMs).toISOString(), waitMs })
  }
  if (type === 'userActionRequired') return endpointError('acme.terms', { server, detail })
  if (type === 'externalAccountRequired') return endpointError('acme.binding', { server })
  if (status >= 500)
    return endpointError('acme.busy', { server, status, detail, ...(wait !== undefined && { waitMs: wait }) })
  return endpointError('acme.refused', { server, type, detail, status })
}

/** The problem document of a refusal; many proxies refuse with HTML. */
export function problemIn(server: string, answer: EgressAnswer): AcmeProblem {
  try {
    return problemOf(fieldsOf(server, answer))
  } catch {
    // What is no problem document says nothing more than its status.
    return problemOf({ detail: `It answers ${answer.status} and gives no reason` })
  }
}
