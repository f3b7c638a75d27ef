import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLanes } from './lanes.ts'
import { openPaces } from './pace.ts'

const never = new AbortController().signal

test('one answer in twenty is slower than what counts as slow', () => {
  const paces = openPaces({ now: () => 0, after: () => () => {} }, 1000)
  assert.equal(paces.of('p', 1), undefined)
  for (let round = 0; round < 6400; round++) paces.noted('p', 1, (round * 7919) % 100)
  const { slowMs, usualMs } = paces.of('p', 1) as { slowMs: number; usualMs: number }
  assert.ok(slowMs >= 88 && slowMs <= 99, `${slowMs}`)
  assert.ok(usualMs > 15 && usualMs < 85, `${usualMs}`)
})

test('what counts as slow follows within a few dozen answers; short and long reads are kept apart', () => {
  const paces = openPaces({ now: () => 0, after: () => () => {} }, 1000)
  for (let round = 0; round < 1000; round++) paces.noted('p', 1, 80)
  for (let round = 0; round < 64; round++) paces.noted('p', 1, 2)
  assert.equal(paces.of('p', 1)?.slowMs, 2)
  assert.equal(paces.of('p', 4), undefined)
  paces.noted('p', 4, 40)
  assert.deepEqual([paces.of('p', 4)?.usualMs, paces.of('p', 1)?.slowMs], [10, 2])
})

test('hiccups make no slow provider; being slow does within five answers, and being quick unmakes it as soon', () => {
  const paces = openPaces({ now: () => 0, after: () => () => {} }, 1000)
  for (let round = 0; round < 100; round++) paces.noted('p', 1, round % 3 === 0 ? 60_000 : 2)
  assert.equal(paces.of('p', 1)?.usualMs, 2)
  for (let round = 0; round < 5; round++) paces.noted('p', 1, 20)
  assert.equal(paces.of('p', 1)?.usualMs, 20)
  for (let round = 0; round < 5; round++) paces.noted('p', 1, 2)
  assert.equal(paces.of('p', 1)?.usualMs, 2)
})

test('the limit is halved by silence, once for all that fall silent together, and grows again with answers', async () => {
  const lanes = openLanes(8, 2)
  const enter = () => lanes.enter('p', never)
  const room = async () => {
    let count = 0
    while (lanes.free('p')) {
      await enter()
      count++
    }
    for (let left = count; left > 0; left--) lanes.leave('p', 'ended')
    return count
  }
  for (let count = 0; count < 8; count++) await enter()
  assert.equal(lanes.free('p'), false)
  for (let count = 0; count < 8; count++) lanes.leave('p', 'silent')
  assert.equal(await room(), 4)
  for (let round = 0; round < 20; round++) {
    await enter()
    lanes.silent('p')
    lanes.leave('p', 'silent')
  }
  assert.equal(await room(), 2)
  for (let round = 0; round < 60; round++) {
    await enter()
    lanes.leave('p', 'answered')
  }
  assert.equal(await room(), 8)
})

test('reads wait for their turn in order, as many as allowed; who stops waiting takes nobody else along', async () => {
  const lanes = openLanes(1, 2)
  const served: number[] = []
  await lanes.enter('p', never)
  const stop = new AbortController()
  const first = lanes.enter('p', stop.signal)
  const second = lanes.enter('p', never).then(() => served.push(2))
  await assert.rejects(lanes.enter('p', never), { code: 'shard.busy' })
  await assert.rejects(lanes.enter('p', AbortSignal.abort(new Error('too late'))))
  stop.abort(new Error('enough'))
  await assert.rejects(first, { message: 'enough' })
  assert.deepEqual(served, [])
  lanes.leave('p', 'answered')
  await second
  assert.equal(lanes.free('p'), false)
  lanes.leave('p', 'answered')
  assert.equal(lanes.free('p'), true)
})
