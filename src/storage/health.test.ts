import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storageError } from './errors.ts'
import { openHealth } from './health.ts'
import { openHedges } from './hedges.ts'

const clock = { now: () => 1000, after: () => () => {} }

test('silence makes a provider dark, any answer makes it alive again; a refusal is an answer', () => {
  const said: string[] = []
  const health = openHealth({ clock, log: (_, event) => said.push(event) })
  health.failed('p', storageError('shard.missing', { provider: 'p' }))
  health.failed('p', storageError('shard.denied', { provider: 'p', reason: 'x' }))
  assert.equal(health.of('p').state, 'alive')
  health.failed('p', storageError('shard.unreachable', { provider: 'p', reason: 'x' }))
  health.failed('p', storageError('shard.unreachable', { provider: 'p', reason: 'x' }))
  assert.equal(health.of('p').state, 'dark')
  health.answered('p')
  assert.equal(health.of('p').state, 'alive')
  assert.deepEqual(said, ['provider.dark', 'provider.back'])
  assert.equal(health.changes(), 2)
})

test('who has no room is full until a probe says otherwise', () => {
  const health = openHealth({ clock, log: () => {} })
  const status = { usedBytes: 0, quotaBytes: 1e12, shards: 0, trashedShards: 0, syncs: 0 }
  health.failed('p', storageError('shard.full', { provider: 'p' }))
  assert.equal(health.of('p').full, true)
  health.probed('p', status, 5)
  assert.equal(health.of('p').full, false)
  assert.equal(health.of('p').refusedAt, 1000, 'which the probe does not make forgotten')
  health.probed('p', { ...status, usedBytes: 1e12 - 1000 }, 5)
  assert.equal(health.of('p').full, true)
})

test('hedges stay the share of requests that they are given', () => {
  const hedges = openHedges(0.1)
  while (hedges.spend());
  let hedged = 0
  for (let request = 0; request < 1000; request++) {
    hedges.earn()
    if (hedges.spend()) hedged++
  }
  assert.ok(hedged >= 98 && hedged <= 100, `${hedged}`)
})
