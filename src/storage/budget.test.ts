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

test('one owner never holds all of it, and others do not wait behind those of his that wait', async () => {
  const budget = openBudget(handClock(), 80, 1000)
  const order: string[] = []
  const ask = (owner: string, bytes: number) => budget.take(bytes, owner).then(() => order.push(owner))
  for (let at = 0; at < 20; at++) void ask('flood', 10)
  await ask('other', 10)
  assert.equal(budget.used(), 80)
  assert.equal(order.filter((owner) => owner === 'flood').length, 7)
  void ask('other', 10)
  budget.give(10, 'other')
  await new Promise(setImmediate)
  assert.equal(order.at(-1), 'other')
  budget.give(10, 'flood')
  await new Promise(setImmediate)
  assert.equal(order.filter((owner) => owner === 'flood').length, 8)
})

test('owners who wait have their turns one after the other', async () => {
  const budget = openBudget(handClock(), 100, 1000)
  await budget.take(100)
  const order: string[] = []
  for (const owner of ['a', 'a', 'a', 'b', 'b', 'c']) void budget.take(40, owner).then(() => order.push(owner))
  for (let at = 0; at < 5; at++) {
    budget.give(at === 0 ? 100 : 40, at === 0 ? '' : order[at - 1])
    await new Promise(setImmediate)
  }
  assert.deepEqual(order, ['a', 'b', 'c', 'a', 'b', 'a'])
})

test('whoever holds nothing gets what he needs, even where that is more than his share', async () => {
  const budget = openBudget(handClock(), 100, 1000)
  await budget.take(100, 'a')
  assert.equal(budget.used(), 100)
  const clock = handClock()
  const full = openBudget(clock, 100, 1000)
  await full.take(100, 'a')
  const refused = assert.rejects(full.take(1, 'a'), { code: 'memory.full' })
  clock.pass(1001)
  await refused
  full.give(100, 'a')
  assert.equal(full.used(), 0)
  await full.take(10, 'b')
})
