import { apiError } from './errors.ts'
import type { Operation } from './operation.ts'
import { type Fault, faultOf, type Schema } from './schema.ts'

type AnyOperation = Operation<unknown, unknown>
type Fields = Record<string, unknown>

/**
 * Writes an input as a request: fields named in the path go there, the others into the query of a GET or DELETE, else
 * into a JSON body.
 */
export function requestOf(operation: AnyOperation, input: unknown): { path: string; body?: string } {
  const rest: Fields = { ...(input as Fields) }
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = plain(rest[name])
    delete rest[name]
    return encodeURIComponent(value)
  })
  if (operation.method === 'GET' || operation.method === 'DELETE') {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(rest)) if (value !== undefined) query.set(name, plain(value))
    return { path: query.size > 0 ? `${path}?${query.toString()}` : path }
  }
  return Object.keys(rest).length > 0 ? { path, body: JSON.stringify(rest) } : { path }
}

/** Finds the operation that a request names, with the fields that its path carries. */
export function matchOperation<T extends AnyOperation>(
  operations: readonly T[],
  method: string,
  path: string,
): { operation: T; fields: Record<string, string> } | undefined {
  const parts = path.split('/')
  for (const operation of operations) {
    if (operation.method !== method) continue
    const pattern = operation.path.split('/')
    if (pattern.length !== parts.length) continue
    const fields: Record<string, string> = {}
    const same = pattern.every((want, at) => {
      const got = parts[at] as string
      if (!want.startsWith('{')) return want === got
      const value = decoded(got)
      if (value === undefined) return false
      fields[want.slice(1, -1)] = value
      return value !== ''
    })
    if (same) return { operation, fields }
  }
  return undefined
}

/**
 * Reads the input out of a request and checks it.
 * @param body the JSON text; empty for none
 * @throws request.malformed, request.invalid
 */
export function inputOf<I>(
  operation: Operation<I, unknown>,
  fields: Record<string, string>,
  query: URLSearchParams,
  body: string,
): I {
  const input: Fields = parseBody(body)
  for (const [name, value] of [...query, ...Object.entries(fields)])
    input[name] = fromQuery(operation.input, name, value)
  const fault = faultOf(operation.input, input)
  if (fault) throw apiError('request.invalid', faultDetails(fault))
  return input as I
}

/** @throws answer.invalid when an answer is not what the contract says */
export function checkOutput<O>(operation: Pick<Operation<never, O>, 'id' | 'output'>, output: unknown): O {
  const fault = faultOf(operation.output, output)
  if (fault) throw apiError('answer.invalid', { operation: operation.id, ...faultDetails(fault) })
  return output as O
}

function parseBody(body: string): Fields {
  if (body === '') return {}
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    throw apiError('request.malformed', { reason: error instanceof Error ? error.message : String(error) }, error)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw apiError('request.invalid', { path: 'The body', fault: 'must be an object' })
  return value as Fields
}

/** Path and query hold texts only; the schema says what they stand for. */
function fromQuery(schema: Schema<unknown>, name: string, value: string): unknown {
  if (schema.kind !== 'fields') return value
  let field = Object.hasOwn(schema.of, name) ? schema.of[name] : undefined
  while (field && (field.kind === 'optional' || field.kind === 'nullable')) field = field.of
  if (field?.kind === 'number' && value !== '') return Number(value)
  if (field?.kind === 'flag' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

function faultDetails({ path, fault }: Fault) {
  return { path, fault }
}

/** Texts as they are; numbers and flags as JSON writes them. */
function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
