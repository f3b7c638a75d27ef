import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBudget } from './budget.ts'

/** A clock that a test moves by hand. */
function handClock() {
  let now = 0
  const timers = new Set<{ at: number; act: () => void }>()
  return {
    now: () => now,
    after(ms: number, act: () => void) {
      const timer = { at: now + ms, act }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    pass(ms: number) {
      now += ms
      for (const timer of [...timers]) {
        if (timer.at > now) continue
        timers.delete(timer)
        timer.act()
      }
    },
    timers: () => timers.size,
  }
}

test('those who wait get their share in the order they came, and a small one does not overtake', async () => {
  const budget = openBudget(handClock(), 100, 1000)
  await budget.take(80)
  const order: string[] = []
  const large = budget.take(50).then(() => order.push('large'))
  const small = budget.take(10).then(() => order.push('small'))
  await Promise.resolve()
  assert.deepEqual(order, [])
  budget.give(80)
  await Promise.all([large, small])
  assert.deepEqual(order, ['large', 'small'])
  assert.equal(budget.used(), 60)
})

test('who waits too long is refused, leaves nothing behind, and lets those behind it go on', async () => {
  const clock = handClock()
  const budget = openBudget(clock, 100, 1000)
  await budget.take(60)
  const refused = assert.rejects(budget.take(50), { code: 'memory.full' })
  clock.pass(500)
  const fits = budget.take(40)
  clock.pass(501)
  await refused
  await fits
  budget.give(60)
  budget.give(40)
  assert.equal(budget.used(), 0)
  assert.equal(clock.timers(), 0)
})

test('a wish beyond the limit takes all of it instead of waiting for ever', async () => {
  const budget = openBudget(handClock(), 100, 1000)
  await budget.take(500)
  assert.equal(budget.used(), 100)
  budget.give(500)
  assert.equal(budget.used(), 0)
})
