import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Health, merged, verdictOf } from './state.ts'

const health = (of: Partial<Health>): Health => ({
  now: 1000,
  providers: [],
  margins: [],
  degraded: 0,
  repairing: 0,
  objects: 0,
  memory: {},
  kit: { state: 'tested', light: 'green', changed: [] },
  directory: { version: 1, issuedAt: 0, expiresAt: 1 },
  ...of,
})
const provider = (of: Partial<Health['providers'][number]>) => ({
  ...{ id: 'a', name: 'A', country: 'DE', owner: 'A', ownerCountry: 'DE', attestations: [], full: false },
  ...{ state: 'alive' as const, darkSince: null, latencyMs: 1, usedBytes: null, quotaBytes: null },
  ...of,
})

test('the worst is said first', () => {
  const dark = [provider({ state: 'dark', darkSince: 1 })]
  const margins = [
    { margin: -1, segments: 2, bytes: 10 },
    { margin: 1, segments: 3, bytes: 10 },
  ]
  const all = { providers: dark, margins, degraded: 3, objects: 9 }
  assert.deepEqual(verdictOf(health(all)), { kind: 'bad', of: 'unreadable', count: 2 })
  const readable = { ...all, margins: margins.slice(1), repairing: 1 }
  assert.deepEqual(verdictOf(health(readable)), { kind: 'warn', of: 'degraded', count: 3, repairing: true })
  assert.deepEqual(verdictOf(health({ ...readable, degraded: 0 })), { kind: 'warn', of: 'dark', count: 1 })
  const well = { ...readable, degraded: 0, providers: [] }
  assert.deepEqual(verdictOf(health(well)), { kind: 'good', of: 'well', count: 9, margin: 1 })
  assert.deepEqual(verdictOf(health({})), { kind: 'good', of: 'empty' })
})

test('what comes by the stream replaces what was asked for, unless it is older', () => {
  const asked = health({ providers: [provider({})], objects: 1 })
  const heard = { now: 2000, margins: [], degraded: 0, repairing: 0, objects: 2 }
  const darkened = { ...heard, providers: [{ id: 'a', state: 'dark' as const, darkSince: 1500, full: true }] }
  const shown = merged(asked, darkened)
  assert.equal(shown.objects, 2)
  assert.deepEqual(shown.providers[0], provider({ state: 'dark', darkSince: 1500, full: true }))
  assert.equal(merged(asked, { ...darkened, now: 500 }), asked)
  assert.equal(merged(asked, undefined), asked)
})
