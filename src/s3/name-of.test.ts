import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameOf } from './name-of.ts'
import { operationNames } from './operation-names.ts'
import { operationsOfRoute } from './route.ts'

test('every operation that a request can name has a name of its own', () => {
  const named = operationsOfRoute().map(nameOf)
  assert.ok(!named.includes('other'))
  // Access lists are told the same way for buckets and objects; STS has a protocol of its own.
  assert.deepEqual(
    [...new Set(named)].sort(),
    operationNames.filter((name) => !['none', 'other', 'Sts'].includes(name)).sort(),
  )
})
