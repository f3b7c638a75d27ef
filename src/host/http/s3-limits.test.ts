import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { s3Limits, s3LimitsOf } from './s3-limits.ts'

test('the documented table of limits is the one that holds', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'operate', 'observe.md'), 'utf8')
  for (const [name, [value, why]] of Object.entries(s3Limits)) {
    assert.ok(
      page.includes(`| \`${name}\` | ${value} | ${why} |`),
      `docs/operate/observe.md lacks: | \`${name}\` | ${value} | ${why} |`,
    )
  }
})

test('one key never has a right to everything', () => {
  assert.throws(() => s3LimitsOf({ requests: 10, requestsPerKey: 11 }), RangeError)
  assert.equal(s3LimitsOf({ requestsPerKey: 3 }).requestsPerKey, 3)
})
