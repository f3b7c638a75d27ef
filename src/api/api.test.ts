import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PelagoError } from '#kernel'
import { apiError } from './errors.ts'
import {
  createBucket,
  errorOf,
  faultOf,
  inputOf,
  matchOperation,
  operations,
  policySchema,
  problemOf,
  requestOf,
  type Static,
  whereObject,
} from './index.ts'
import { choice, fields, integer, list, nullable, optional, text } from './schema.ts'

const policy: Static<typeof policySchema> = {
  version: 1,
  jurisdictions: ['EU', 'CH'],
  attestations: [],
  ownersRefused: ['US'],
  survive: { providers: 2, countries: 0 },
  greatestShare: 0.5,
  whenShort: 'refuse',
}

test('a schema admits what it describes and names the first departure', () => {
  const schema = fields({
    name: text({ min: 1 }),
    size: integer({ min: 0, max: 9 }),
    tags: list(choice('a', 'b'), 2),
    note: optional(nullable(text())),
  })
  const good: Static<typeof schema> = { name: 'x', size: 3, tags: ['a'] }
  assert.equal(faultOf(schema, good), undefined)
  assert.equal(faultOf(schema, { ...good, note: null }), undefined)
  const faults: [value: unknown, path: string, fault: RegExp][] = [
    [null, 'value', /must be an object/],
    [[], 'value', /must be an object/],
    [{ ...good, name: '' }, 'name', /must not be empty/],
    [{ ...good, size: 1.5 }, 'size', /whole/],
    [{ ...good, size: 10 }, 'size', /between 0 and 9/],
    [{ ...good, size: Number.NaN }, 'size', /must be a number/],
    [{ ...good, tags: ['a', 'c'] }, 'tags[1]', /"a" or "b"/],
    [{ ...good, tags: ['a', 'a', 'a'] }, 'tags', /at most 2/],
    [{ ...good, extra: 1 }, 'extra', /not known/],
    [{ name: 'x', tags: [] }, 'size', /missing/],
    [{ ...good, note: 1 }, 'note', /text/],
  ]
  for (const [value, path, fault] of faults) {
    const found = faultOf(schema, value)
    assert.equal(found?.path, path)
    assert.match(found.fault, fault)
  }
})

test('a field is looked for in the value itself, never in its prototype', () => {
  assert.match(faultOf(fields({ constructor: text() }), {})?.fault ?? '', /missing/)
  assert.match(faultOf(fields({}), JSON.parse('{"__proto__": 1}'))?.fault ?? '', /not known/)
})

test('whatever JSON comes, checking it neither throws nor admits a stranger', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const operation of Object.values(operations)) {
        const fault = faultOf(operation.input, value)
        if (!fault) assert.equal(typeof value, 'object')
      }
    }),
  )
})

test('every operation has an id, a path and a place of its own, and its path names fields of its input', () => {
  const all = Object.values(operations)
  assert.equal(new Set(all.map((operation) => operation.id)).size, all.length)
  const shapes = all.map(({ method, path, server }) => `${server} ${method} ${path.replace(/\{\w+\}/g, '{}')}`)
  assert.equal(new Set(shapes).size, all.length)
  for (const operation of all) {
    assert.match(operation.path, /^\/v1\//)
    assert.equal(operation.input.kind, 'fields')
    for (const [, name] of operation.path.matchAll(/\{(\w+)\}/g))
      assert.ok(operation.input.kind === 'fields' && name && name in operation.input.of, `${operation.id}: ${name}`)
  }
})

test('an input written as a request is read again as it was', () => {
  const names = fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,20}[a-z0-9]$/)
  const keys = fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' }).filter((key) => key.isWellFormed())
  fc.assert(
    fc.property(names, keys, (bucket, key) => {
      const { path, body } = requestOf(whereObject, { bucket, key })
      const url = new URL(path, 'http://localhost')
      const found = matchOperation([createBucket, whereObject], 'GET', url.pathname)
      assert.equal(found?.operation, whereObject)
      assert.deepEqual(inputOf(whereObject, found.fields, url.searchParams, body ?? ''), { bucket, key })
    }),
  )
  const { path, body } = requestOf(createBucket, { name: 'demo', policy })
  assert.equal(path, '/v1/buckets')
  assert.deepEqual(inputOf(createBucket, {}, new URLSearchParams(), body ?? ''), { name: 'demo', policy })
})

test('what is not in the contract is refused with its code', () => {
  const code = (expected: string) => (error: unknown) => error instanceof PelagoError && error.code === expected
  const none = new URLSearchParams()
  assert.throws(() => inputOf(createBucket, {}, none, '{'), code('request.malformed'))
  assert.throws(() => inputOf(createBucket, {}, none, '[]'), code('request.invalid'))
  assert.throws(() => inputOf(createBucket, {}, none, '{"name":"UPPER"}'), code('request.invalid'))
  const extra = JSON.stringify({ name: 'demo', extra: 1 })
  assert.throws(() => inputOf(createBucket, {}, none, extra), /extra is not known/)
  assert.equal(matchOperation(Object.values(operations), 'GET', '/v1/buckets//policy'), undefined)
  assert.equal(matchOperation(Object.values(operations), 'GET', '/v1/buckets/%ZZ/policy'), undefined)
})

test('a problem crosses the wire with its code; a foreign error tells nothing but its trace', () => {
  const sent = problemOf(
    apiError('request.forbidden', { operation: 'bucket.list', allowed: 'owner', roles: 'clerk' }),
    't1',
  )
  assert.equal(sent.status, 403)
  const got = errorOf(JSON.parse(JSON.stringify(sent)))
  assert.equal(got?.code, 'request.forbidden')
  assert.equal(got.message, 'bucket.list is for the roles owner; you are clerk.')
  const foreign = problemOf(new Error('password is hunter2'), 't2')
  assert.equal(foreign.status, 500)
  assert.ok(!JSON.stringify(foreign).includes('hunter2'))
  assert.equal(errorOf({ error: 'something else' }), undefined)
})
