import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson, compareBytes, compareUtf8, concat, errorTable, hasCode, reasonOf, utf8 } from './index.ts'

test('keys are ordered by their UTF-8 bytes, where UTF-16 order differs', () => {
  const fullwidth = '\uFF5E'
  const emoji = '\u{1F600}'
  assert.ok(emoji < fullwidth, 'UTF-16 puts the emoji first')
  assert.ok(compareUtf8(fullwidth, emoji) < 0)
  assert.ok(compareBytes(utf8('foo+'), utf8('foo/')) < 0)
})

test('equal values have one canonical form', () => {
  assert.equal(canonicalJson({ b: 1, a: [true, null, { d: 'x', c: 2 }] }), '{"a":[true,null,{"c":2,"d":"x"}],"b":1}')
  assert.throws(() => canonicalJson(Number.NaN), /JSON has no NaN/)
})

test('an error carries its code and says what to do', () => {
  const fail = errorTable({ full: { kind: 'exhausted', retryable: true, message: '{provider} is full; add capacity' } })
  const error = fail('full', { provider: 'fjord' })
  assert.equal(error.message, 'fjord is full; add capacity')
  assert.ok(hasCode(error, 'full'))
  assert.deepEqual(concat(utf8('a'), utf8('bc')), utf8('abc'))
})

test('a reason for the log names nothing that belongs to somebody', () => {
  const fail = errorTable({
    'object.odd': {
      kind: 'internal',
      retryable: false,
      message: 'Object {key} of bucket {bucket} is odd at {provider}.',
    },
  })
  const error = fail('object.odd', { key: 'letter', bucket: 'private', provider: 'isar' })
  assert.equal(error.message, 'Object letter of bucket private is odd at isar.')
  assert.equal(reasonOf(error), 'Object (withheld) of bucket (withheld) is odd at isar.')
  const withStack = reasonOf(error, true)
  assert.match(withStack, /kernel\.test\.ts/)
  assert.doesNotMatch(withStack, /letter|private/)
  assert.equal(reasonOf(new TypeError('plain')), 'plain')
})
