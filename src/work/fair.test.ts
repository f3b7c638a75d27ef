import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openFair } from './fair.ts'

/** Lets tenants whose pieces take so long work for a while. @returns what each got, milliseconds */
function share(costs: Record<string, number>, rounds: number): Record<string, number> {
  const fair = openFair(1000)
  const got: Record<string, number> = Object.fromEntries(Object.keys(costs).map((tenant) => [tenant, 0]))
  const names = Object.keys(costs).sort()
  for (let round = 0; round < rounds; round++) {
    const behind = names.filter((tenant) => tenant > fair.last())
    const tenant = fair.choose([...behind, ...names.filter((name) => !behind.includes(name))]) as string
    got[tenant] = (got[tenant] as number) + (costs[tenant] as number)
    fair.charge(tenant, costs[tenant] as number)
  }
  return got
}

test('tenants with equal pieces take turns', () => {
  assert.deepEqual(share({ a: 500, b: 500, c: 500 }, 30), { a: 5000, b: 5000, c: 5000 })
})

test('who takes five turns at once is passed over until the others have had as much', () => {
  const { long, short } = share({ long: 5000, short: 1000 }, 300) as { long: number; short: number }
  assert.ok(Math.abs(long / short - 1) < 0.1, `long ${long}, short ${short}`)
})

test('who is alone works on whatever it owes, and a very long piece is forgiven in the end', () => {
  assert.deepEqual(share({ only: 60_000 }, 10), { only: 600_000 })
  const fair = openFair(1000)
  assert.equal(fair.choose(['a', 'b']), 'a')
  fair.charge('a', 3_600_000)
  let turns = 0
  while (fair.choose(['a', 'b']) !== 'a') turns++
  assert.ok(turns >= 5 && turns <= 11, `${turns} turns of others`)
})
