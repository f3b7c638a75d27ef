import type { Json } from '#kernel'
import type { Operation } from '../operation.ts'
import { problemSchema, statusFor, titleOf } from '../problem.ts'
import type { Schema } from '../schema.ts'
import { type Contract, errorsOf, nounOf, pathFields } from './contract.ts'
import { jsonSchemaOf } from './json-schema.ts'

type JsonObject = { [key: string]: Json }
type AnyOperation = Operation<unknown, unknown>

const problem = { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }

/** The contract as an OpenAPI document. Source: OpenAPI Specification 3.1.1. */
export function openApiOf(contract: Contract): JsonObject {
  const { operations, version } = contract
  const paths: Record<string, JsonObject> = {}
  for (const operation of operations) {
    const path = (paths[operation.path] ??= {})
    path[operation.method.toLowerCase()] = operationObject(contract, operation)
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Pelago',
      version,
      description:
        'Each operation says in `x-pelago-server` which process answers it. Errors are problem details (RFC 9457) with a stable code.',
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    tags: [...new Set(operations.map(nounOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: jsonSchemaOf(problemSchema) },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The token of the data folder, or of a session.' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-pelago', description: 'The session of a browser.' },
      },
    },
  }
}

function operationObject(contract: Contract, operation: AnyOperation): JsonObject {
  const { id, summary, roles, reach, server, idempotency, pages, stream, method } = operation
  const body = bodyFields(operation)
  return {
    operationId: id,
    summary,
    tags: [nounOf(operation)],
    security: roles.includes('anyone') ? [] : [{ bearer: [] }, { session: [] }],
    'x-pelago-roles': [...roles],
    'x-pelago-reach': reach,
    'x-pelago-server': server,
    'x-pelago-idempotency': idempotency ?? 'natural',
    ...(pages && { 'x-pelago-pages': true }),
    ...(stream && { 'x-pelago-stream': true }),
    parameters: parametersOf(operation),
    ...(body &&
      method !== 'GET' &&
      method !== 'DELETE' && {
        requestBody: {
          required: body.required.length > 0,
          content: { 'application/json': { schema: { type: 'object', ...body, additionalProperties: false } } },
        },
      }),
    responses: {
      '200': goodResponse(operation),
      ...badResponses(contract, operation),
      default: { description: 'Something else went wrong.', ...problem },
    },
  }
}

/** The fields of the input that are not in the path. */
function bodyFields(operation: AnyOperation): { properties: JsonObject; required: string[] } | undefined {
  const inPath = pathFields(operation)
  const rest = Object.entries(fieldsOf(operation.input)).filter(([name]) => !inPath.includes(name))
  if (rest.length === 0) return undefined
  return {
    properties: Object.fromEntries(rest.map(([name, field]) => [name, jsonSchemaOf(field)])),
    required: rest.filter(([, { kind }]) => kind !== 'optional').map(([name]) => name),
  }
}

function parametersOf(operation: AnyOperation): JsonObject[] {
  const { input, method, concurrency, idempotency, stream } = operation
  const inPath = pathFields(operation)
  const parameter = (name: string, where: string, schema: JsonObject, required: boolean) => {
    const { description, ...rest } = schema
    return { name, in: where, required, ...(description !== undefined && { description }), schema: rest }
  }
  const list = Object.entries(fieldsOf(input)).flatMap(([name, field]) => {
    if (inPath.includes(name)) return [parameter(name, 'path', jsonSchemaOf(field), true)]
    if (method !== 'GET' && method !== 'DELETE') return []
    return [parameter(name, 'query', jsonSchemaOf(field), field.kind !== 'optional')]
  })
  const header = (name: string, description: string) =>
    list.push(parameter(name, 'header', { type: 'string', description }, false))
  if (idempotency === 'key')
    header(
      'Idempotency-Key',
      'A name of this wish that is never used for another; repetitions get the same answer for 24 h.',
    )
  if (concurrency && method === 'GET')
    header('If-None-Match', 'ETags that are known; 304 when one of them is still right.')
  if (concurrency && method !== 'GET')
    header('If-Match', 'The ETag that was seen; 412 when the thing has changed since.')
  if (stream) header('Last-Event-ID', 'The id of the last event that was had.')
  return list
}

function goodResponse({ output, media, stream, concurrency, summary }: AnyOperation): JsonObject {
  const type = stream ? 'text/event-stream' : (media ?? 'application/json')
  const schema = jsonSchemaOf(output)
  return {
    description: stream ? `${summary} Each event’s data is JSON of this shape.` : summary,
    ...(concurrency && { headers: { ETag: { description: 'The revision.', schema: { type: 'string' } } } }),
    content: { [type]: { schema } },
  }
}

function badResponses({ errors }: Contract, operation: AnyOperation): JsonObject {
  const byStatus = new Map<number, string[]>()
  for (const code of errorsOf(operation)) {
    const row = errors[code]
    if (!row) continue
    const status = statusFor(code, row.kind)
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const sorted = [...byStatus].toSorted(([a], [b]) => a - b)
  return Object.fromEntries(
    sorted.map(([status, codes]) => {
      const kinds = new Set(codes.map((code) => titleOf(errors[code]?.kind ?? 'internal')))
      const description = `${[...kinds].join('; ')}: ${codes.map((code) => `\`${code}\``).join(', ')}.`
      return [String(status), { description, ...problem }]
    }),
  )
}

function fieldsOf(schema: Schema<unknown>): Readonly<Record<string, Schema<unknown>>> {
  return schema.kind === 'fields' ? schema.of : {}
}
