import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWatch } from './watch.ts'

/** A clock whose time passes when it is told to. */
function heldClock() {
  const waiting: (() => void)[] = []
  return {
    clock: { now: () => 0, after: (_: number, act: () => void) => (waiting.push(act), () => {}) },
    waiting,
    async pass() {
      for (const act of waiting.splice(0)) act()
      await new Promise((wake) => setImmediate(wake))
    },
  }
}

test('each reader gets the newest state when it is another, and nobody looks when nobody watches', async () => {
  const { clock, waiting, pass } = heldClock()
  let [state, looks] = [1, 0]
  const watch = openWatch(
    clock,
    1000,
    () => (looks++, { state, noise: looks }),
    ({ state: same }) => same,
  )
  const stop = new AbortController()
  const first = watch.follow(stop.signal, undefined)
  const one = (await first.next()).value
  assert.equal(one?.data.state, 1)
  const second = watch.follow(stop.signal, one?.id)
  const next = [first.next(), second.next()]
  await pass()
  await pass()
  state = 2
  await pass()
  assert.deepEqual(
    (await Promise.all(next)).map(({ value }) => value?.data.state),
    [2, 2],
  )
  const slow = first.next()
  state = 3
  await pass()
  state = 4
  await pass()
  assert.equal((await slow).value?.data.state, 3)
  assert.equal((await first.next()).value?.data.state, 4, 'what is past is not told, what is now is')
  stop.abort()
  assert.ok((await first.next()).done)
  assert.equal((await second.next()).done, true)
  await pass()
  const before = looks
  await pass()
  assert.deepEqual([looks, waiting.length], [before, 0])
})

test('a state that cannot be read ends the streams, and the next reader begins anew', async () => {
  const { clock } = heldClock()
  let broken = true
  const watch = openWatch(
    clock,
    1000,
    () => {
      if (broken) throw new Error('broken')
      return 7
    },
    (state) => state,
  )
  await assert.rejects(watch.follow(new AbortController().signal, undefined).next(), /broken/)
  broken = false
  assert.equal((await watch.follow(new AbortController().signal, undefined).next()).value?.data, 7)
})
