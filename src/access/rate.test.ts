import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openRates } from './rate.ts'

test('an asker gets his burst, then as many per second as he may, and others theirs', () => {
  let now = 1000
  const rates = openRates({ now: () => now }, { perSecond: 2, burst: 3, askersMost: 10 })
  assert.deepEqual(
    [1, 2, 3, 4].map(() => rates.take('a')),
    [0, 0, 0, 500],
  )
  assert.equal(rates.take('b'), 0)
  now += 499
  assert.equal(rates.take('a'), 1)
  now += 1
  assert.equal(rates.take('a'), 0)
  now -= 10_000
  assert.equal(rates.take('a'), 500, 'a clock that goes back gives and takes nothing')
})

test('whatever comes when, nobody gets more than burst and rate allow, and memory is bounded', () => {
  const steps = fc.array(fc.tuple(fc.nat(400), fc.constantFrom('a', 'b', 'c')), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(steps, (all) => {
      let now = 0
      const rates = openRates({ now: () => now }, { perSecond: 5, burst: 4, askersMost: 3 })
      const taken: Record<string, number> = {}
      for (const [ms, asker] of all) {
        now += ms
        if (rates.take(asker) === 0) taken[asker] = (taken[asker] ?? 0) + 1
        assert.ok((taken[asker] ?? 0) <= 4 + (now / 1000) * 5 + 1e-6)
      }
    }),
  )
  const small = openRates({ now: () => 0 }, { perSecond: 1, burst: 1, askersMost: 2 })
  assert.deepEqual(
    ['a', 'a', 'b', 'c', 'a'].map((asker) => small.take(asker) > 0),
    [false, true, false, false, false],
  )
})
