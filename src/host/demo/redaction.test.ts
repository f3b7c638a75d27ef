import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRedaction } from './redaction.ts'

const redaction = openRedaction(['0123456789abcdef-secret', 'PELACCESSKEY'])

test('known secrets go wherever they stand', () => {
  const line = JSON.stringify({
    event: 'x',
    reason: 'for PELACCESSKEY: 0123456789abcdef-secret!',
    count: 3,
    bucket: 'b',
  })
  assert.deepEqual(redaction.line(line), {
    event: 'x',
    reason: 'for (withheld): (withheld)!',
    count: 3,
    bucket: '(withheld)',
  })
})

test('passwords in addresses, addresses of objects and private keys go', () => {
  assert.equal(redaction.text('postgres://pelago:hunter2@db/x'), 'postgres://(withheld)@db/x')
  assert.equal(redaction.text('no s3://holiday/letter here'), 'no s3://(withheld) here')
  assert.equal(redaction.text('-----BEGIN PRIVATE KEY-----\nMC4\n-----END PRIVATE KEY-----'), '(withheld)')
})

test('configurations keep what is no secret', () => {
  const given = {
    tokenFile: '/x/api-token',
    token: 'abc',
    s3: { port: 9000, password: 'p' },
    keys: [{ secret: 's', id: 'i' }],
  }
  assert.deepEqual(redaction.configuration(given), {
    tokenFile: '/x/api-token',
    token: '(withheld)',
    s3: { port: 9000, password: '(withheld)' },
    keys: [{ secret: '(withheld)', id: 'i' }],
  })
})

test('a torn line is told by its length', () => {
  assert.deepEqual(redaction.line('{"event":"x","re'), { unreadable: 16 })
})
