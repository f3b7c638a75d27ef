/** What must hold for every operation of the API, whoever adds it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  apiRoles,
  faultOf,
  fields,
  matrixOf,
  openApiOf,
  type Operation,
  operations,
  referenceOf,
  type Schema,
} from '#api'
import { topics } from '#journal'
import { roleNames } from '#kernel'
import { errorRows, errorTables } from '../src/host/error-rows.ts'
import { jsonSchemaOf } from '../src/api/describe/json-schema.ts'
import {
  choice,
  exactly,
  flag,
  integer,
  json,
  list,
  nullable,
  number,
  optional,
  record,
  text,
} from '../src/api/schema.ts'
import { admits, faultsOfSchema, refer } from './tools/json-schema-check.ts'

const all: Operation<unknown, unknown>[] = Object.values(operations)
const contract = { operations: all, errors: errorRows, version: '0.0.0' }
const fieldsOf = (schema: Schema<unknown>) => (schema.kind === 'fields' ? schema.of : {})

/** Everything that is wrong with a contract, one sentence each. */
function faultsOf(given: readonly Operation<unknown, unknown>[]): string[] {
  const faults: string[] = []
  const places = new Map<string, string>()
  for (const operation of given) {
    const { id, method, path, roles, input, output, errors, summary, pages, concurrency, stream } = operation
    const { server, reach, states } = operation
    const say = (what: string) => faults.push(`${id} ${what}`)
    const taken = (what: string, by: string) => {
      if (places.has(by)) say(`has the ${what} of ${places.get(by)}`)
      places.set(by, id)
    }
    taken('id', id)
    taken('place', `${method} ${path.replace(/\{\w+\}/g, '{}')}`)
    if (!/^[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)+$/.test(id)) say('is not called noun.verb')
    if (!/^[A-Z].*\.$/s.test(summary)) say('has no sentence for a summary')
    if (!/^(\/(v1|\{\w+\}|[a-z0-9.-]+))+$/.test(path) || !path.startsWith('/v1/')) say(`has the odd path ${path}`)
    if (input.kind !== 'fields') say('takes something else than fields')
    const has = fieldsOf(input)
    for (const [, name = ''] of path.matchAll(/\{(\w+)\}/g)) {
      const { kind } = has[name] ?? { kind: 'none' }
      if (!['text', 'number', 'choice'].includes(kind)) say(`has no plain field ${name} for its path`)
    }
    for (const [name, { kind, about }] of Object.entries(has)) {
      if (kind === 'json' && about === undefined) say(`does not say what ${name} is about`)
      if ((method === 'GET' || method === 'DELETE') && (kind === 'fields' || kind === 'list' || kind === 'record'))
        say(`wants ${name} in a query, which holds plain values only`)
    }
    if (roles.length === 0) say('is for nobody')
    if (roles.some((role) => !apiRoles.includes(role)) || new Set(roles).size < roles.length) say('has odd roles')
    if (roles.includes('anyone') && roles.length > 1) say('is for anyone and for some')
    if (roles.includes('anyone') !== (reach === 'open')) say('is open, but not for anyone, or for anyone, but not open')
    if ((server === 'supervisor' || server === 'federation') && reach === 'tenant')
      say('is of a server without tenants')
    if (method !== 'GET' && states === undefined) say('does not say what it states in the log')
    if (states !== undefined && 'none' in states && !/^[A-Z].*\.$/s.test(states.none)) say('has no sentence for why')
    for (const topic of states === undefined || 'none' in states ? [] : states)
      if (!Object.hasOwn(topics, topic)) say(`states ${topic}, which is no topic of the log`)
    for (const code of errors) if (!Object.hasOwn(errorRows, code)) say(`answers ${code}, which is in no table`)
    if (new Set(errors).size < errors.length) say('names an error twice')
    if (method === 'POST' && operation.idempotency === undefined) say('does not say what a repetition does')
    const gives = fieldsOf(output)
    if (pages) {
      const lists = Object.values(gives).filter(({ kind }) => kind === 'list').length
      if (method !== 'GET' || has.after?.kind !== 'optional' || has.limit?.kind !== 'optional')
        say('has pages, but no optional after and limit')
      if (lists !== 1 || gives.next?.kind !== 'nullable') say('has pages, but not one list and a nullable next')
    }
    if (concurrency && !['text', 'number'].includes(gives[concurrency.revision]?.kind ?? ''))
      say('has no such revision')
    if (stream && method !== 'GET') say('streams, but is no GET')
  }
  return faults
}

test('every operation is whole: its own id and place, path fields, roles, known errors, what a repetition does', () => {
  assert.deepEqual(faultsOf(all), [])
})

test('each of these rules bites', () => {
  const good: Operation<unknown, unknown> = {
    id: 'thing.make',
    summary: 'Makes a thing.',
    method: 'POST',
    idempotency: 'key',
    path: '/v1/things/{name}',
    server: 'gateway',
    roles: ['owner'],
    reach: 'tenant',
    states: ['bucket.created'],
    input: fields({ name: text() }),
    output: fields({ revision: integer() }),
    errors: ['bucket.missing'],
  }
  assert.deepEqual(faultsOf([good]), [])
  const bad: [RegExp, object][] = [
    [/noun.verb/, { id: 'Make' }],
    [/summary/, { summary: 'makes' }],
    [/odd path/, { path: '/things/{name}' }],
    [/plain field/, { input: fields({}) }],
    [/about/, { input: fields({ name: text(), more: json() }) }],
    [/in a query/, { method: 'GET', input: fields({ name: text(), of: list(text()) }) }],
    [/for nobody/, { roles: [] }],
    [/odd roles/, { roles: ['king'] }],
    [/not for anyone/, { reach: 'open' }],
    [/without tenants/, { server: 'supervisor' }],
    [/what it states/, { states: undefined }],
    [/for why/, { states: { none: 'so' } }],
    [/no topic/, { states: ['thing.made'] }],
    [/anyone and for some/, { roles: ['anyone', 'owner'] }],
    [/no table/, { errors: ['thing.lost'] }],
    [/twice/, { errors: ['bucket.missing', 'bucket.missing'] }],
    [/repetition/, { idempotency: undefined }],
    [/optional after/, { pages: true }],
    [/one list/, { pages: true }],
    [/revision/, { concurrency: { revision: 'version' } }],
    [/no GET/, { stream: true }],
  ]
  for (const [fault, change] of bad) assert.match(faultsOf([{ ...good, ...change }]).join('\n'), fault)
  assert.match(faultsOf([good, good]).join('\n'), /has the id of[^]*has the place of/)
})

test('no code has two meanings', () => {
  const codes = errorTables.flatMap(({ rows }) => Object.keys(rows))
  assert.deepEqual(
    codes.filter((code, at) => codes.indexOf(code) !== at),
    [],
  )
})

/** What is more than its role promises. Nothing becomes one of these by accident: who adds an operation says here that he means it. */
const meant = {
  /** Nobody need be known: to find the door, and to come through it. */
  anyone: [
    'api.describe',
    'directory.get',
    'member.join',
    'console.get',
    ...['login.begin', 'login.finish', 'identity-provider.list', 'identity-provider.begin', 'identity-provider.finish'],
    ...['enrolment.create', 'enrolment.passkey.begin', 'enrolment.passkey.create'],
    ...['passkey.sign-in.begin', 'passkey.sign-in.finish', 'recovery.create', 'recovery.complete'],
  ],
  machine: ['session.get', 'certificate.create'],
  /** An auditor changes nothing but what is his own. */
  auditor: [
    ...['session.sign-out', 'session.end', 'login.approve', 'passkey.begin', 'passkey.create', 'passkey.delete'],
    ...['recovery.approve', 'recovery.cancel', 'policy.explain'],
  ],
}

test('the matrix keeps the promises of the roles', () => {
  const matrix = matrixOf(contract)
  assert.deepEqual(matrix.map(({ id }) => id).toSorted(), all.map(({ id }) => id).toSorted(), 'none is forgotten')
  for (const { id, may } of matrix) {
    const { method, roles } = all.find((operation) => operation.id === id) as Operation<unknown, unknown>
    for (const role of apiRoles) {
      const named = roles.includes('anyone') || (roles as readonly string[]).includes(role)
      assert.equal(may[role], named, `${role} and ${id}`)
    }
    if (roles.includes('anyone')) continue
    assert.ok(may.owner, `an owner may everything of his tenant, so ${id} too`)
    if (method === 'GET') assert.ok(may.auditor, `an auditor reads everything, so ${id} too`)
  }
  assert.deepEqual(
    roleNames.filter((role) => !apiRoles.includes(role)),
    [],
  )
  const who = (role: 'anyone' | 'machine' | 'auditor', methods: readonly string[]) =>
    all.filter(({ roles, method }) => roles.includes(role) && methods.includes(method)).map(({ id }) => id)
  const every = ['GET', 'POST', 'PUT', 'DELETE']
  assert.deepEqual(who('anyone', every).toSorted(), meant.anyone.toSorted(), 'for anyone')
  assert.deepEqual(who('machine', every).toSorted(), meant.machine.toSorted(), 'for machines')
  assert.deepEqual(who('auditor', every.slice(1)).toSorted(), meant.auditor.toSorted(), 'for auditors')
})

test('the OpenAPI document is whole: schemas are JSON Schema, references lead somewhere, every operation is there once', () => {
  const document = JSON.parse(JSON.stringify(openApiOf(contract))) as Record<string, Record<string, unknown>>
  assert.equal(JSON.stringify(document.openapi), '"3.1.1"')
  const ids: string[] = []
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const [method, told] of Object.entries(item as Record<string, Record<string, unknown>>)) {
      ids.push(String(told.operationId))
      const operation = all.find(({ id }) => id === told.operationId)
      assert.equal(`${operation?.method} ${operation?.path}`, `${method.toUpperCase()} ${path}`)
      const parameters = told.parameters as { name: string; in: string; required: boolean; schema: unknown }[]
      const inPath = parameters.filter((parameter) => parameter.in === 'path')
      assert.deepEqual(inPath.map(({ name }) => `{${name}}`).toSorted(), (path.match(/\{\w+\}/g) ?? []).toSorted())
      assert.ok(inPath.every(({ required }) => required))
      for (const { name, schema } of parameters) assert.deepEqual(faultsOfSchema(schema, name), [])
      const places = parameters.map((parameter) => `${parameter.in} ${parameter.name}`)
      assert.equal(new Set(places).size, places.length)
      const responses = told.responses as Record<string, { description: string }>
      for (const [status, { description }] of Object.entries(responses))
        assert.ok(/^[1-5]\d\d$|^default$/.test(status) && description, `${path} ${status}`)
      for (const scheme of (told.security as Record<string, unknown>[]).flatMap(Object.keys))
        assert.ok(refer(document, `#/components/securitySchemes/${scheme}`), scheme)
    }
  }
  assert.deepEqual(ids.toSorted(), all.map(({ id }) => id).toSorted())
  const visit = (value: unknown, at: string): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [name, inner] of Object.entries(value)) {
      if (name === '$ref') assert.ok(refer(document, String(inner)), `${at} refers to ${String(inner)}`)
      if (name === 'schema') assert.deepEqual(faultsOfSchema(inner, at), [])
      visit(inner, `${at}/${name}`)
    }
  }
  visit(document, '#')
})

test('a schema in JSON Schema admits what it admits itself', () => {
  const schema = fields({
    name: text({ min: 1, max: 5, pattern: '^[a-z]+$' }),
    size: integer({ min: 0, max: 9 }),
    ratio: number({ min: -1.5 }),
    kind: choice('a', 'b'),
    version: exactly(1),
    flags: list(flag(), 2),
    more: optional(record(nullable(integer()), 2)),
    rest: optional(json()),
  })
  const said = jsonSchemaOf(schema)
  assert.deepEqual(faultsOfSchema(said), [])
  const good = { name: 'x', size: 3, ratio: 0.5, kind: 'a', version: 1, flags: [true] }
  assert.ok(admits(said, good) && faultOf(schema, good) === undefined)
  const parts = fc.record({
    name: fc.oneof(fc.constantFrom('', 'abc', 'toolong', 'A'), fc.integer()),
    size: fc.oneof(fc.integer({ min: -2, max: 12 }), fc.constant(1.5), fc.constant('1')),
    ratio: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null)),
    kind: fc.constantFrom('a', 'b', 'c', 1),
    version: fc.constantFrom(1, 2),
    flags: fc.array(fc.oneof(fc.boolean(), fc.constant(1)), { maxLength: 3 }),
    more: fc.dictionary(fc.string({ maxLength: 2 }), fc.oneof(fc.integer(), fc.constant(null)), { maxKeys: 3 }),
    rest: fc.jsonValue(),
    stranger: fc.integer(),
  })
  /** Good but for up to two fields. */
  const near = fc
    .tuple(
      parts,
      fc.subarray(['name', 'size', 'ratio', 'kind', 'version', 'flags', 'more', 'rest', 'stranger'], { maxLength: 2 }),
    )
    .map(([part, names]) => {
      const value: Record<string, unknown> = { ...good }
      for (const name of names) value[name] = part[name as keyof typeof part]
      return value
    })
  let [admitted, refused] = [0, 0]
  fc.assert(
    fc.property(fc.oneof(parts, near, fc.jsonValue()), (given) => {
      const value = JSON.parse(JSON.stringify(given)) as unknown
      const right = faultOf(schema, value) === undefined
      if (right) admitted++
      else refused++
      assert.equal(admits(said, value), right, JSON.stringify(value))
    }),
    { numRuns: 2000 },
  )
  assert.ok(admitted > 10 && refused > 10, `${admitted} admitted, ${refused} refused`)
})

test('the reference names every operation, every one of its fields and every error it may answer', () => {
  const page = referenceOf(contract)
  for (const { id, input, errors } of all) {
    const from = page.indexOf(`\n### ${id}\n`)
    const section = page.slice(from, page.indexOf('\n### ', from + 1))
    assert.ok(from > 0, id)
    for (const name of Object.keys(fieldsOf(input))) assert.ok(section.includes(`\`${name}`), `${id}: ${name}`)
    for (const code of errors) assert.ok(page.includes(`| \`${code}\` | `), code)
  }
  assert.doesNotMatch(page, /undefined|\[object/)
})
