import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWorld } from '../../../sim/world.ts'
import { storageError } from '../errors.ts'
import { openHealth } from '../health.ts'
import { openHedges } from '../hedges.ts'
import { defaultLimits } from '../limits.ts'
import { openLanes } from './lanes.ts'
import { openPaces } from './pace.ts'
import { type Race, raceShards } from './race-shards.ts'

const never = new AbortController().signal
const holders = ['a', 'b', 'c', 'd', 'e', 'f']
const silent = 1e9

type Asking = { shard: number; at: number; signal: AbortSignal }

type Options = { hedgeShare?: number; providerReads?: number; takes?: Record<string, number | Error> }

/** A race among six providers that answer after `takes` milliseconds; an error is what they answer. */
function setUp({ hedgeShare = 0.1, providerReads = 64, takes = {} }: Options = {}) {
  const world = openWorld(1)
  const { clock } = world
  const limits = { ...defaultLimits, hedgeShare, providerReads }
  const ground = {
    clock,
    limits,
    health: openHealth({ clock, log: () => {} }),
    hedges: openHedges(hedgeShare),
    paces: openPaces(clock, limits.retryMs),
    lanes: openLanes(limits.providerReads, limits.providerQueue),
  }
  const asked: Asking[] = []
  const discarded: number[] = []
  const failed: number[] = []
  const began = clock.now()
  const ask = (shard: number, signal: AbortSignal) =>
    new Promise<number>((resolve, reject) => {
      asked.push({ shard, at: clock.now() - began, signal })
      const taken = takes[holders[shard] as string] ?? 10
      const cancel = clock.after(typeof taken === 'number' ? taken : 10, () =>
        typeof taken === 'number' ? resolve(shard) : reject(taken),
      )
      signal.addEventListener('abort', () => {
        cancel()
        reject(signal.reason as Error)
      })
    })
  const race = (wanted: number[], more: Partial<Race<number>> = {}) =>
    raceShards(ground, {
      holders,
      need: 4,
      wanted,
      units: 1,
      key: 'k',
      ask,
      discard: (value) => discarded.push(value),
      failed: (shard) => failed.push(shard),
      signal: never,
      ...more,
    })
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let done = false
    promise.then(
      () => (done = true),
      () => (done = true),
    )
    await world.runUntil(() => done, 1e6)
    return promise
  }
  const run = async (wanted: number[], more: Partial<Race<number>> = {}) => [
    ...(await settle(race(wanted, more))).keys(),
  ]
  const rest = async (ms: number) => settle(new Promise<void>((resolve) => void clock.after(ms, resolve)))
  const shards = () => asked.splice(0).map(({ shard }) => shard)
  /** Lets everybody show how quick they are. */
  const learn = async (rounds = 16) => {
    for (let round = 0; round < rounds; round++) await run([0, 1, 2, 3, 4, 5], { need: 6 })
    asked.splice(0)
  }
  return { clock, ground, takes, asked, discarded, failed, race, settle, run, rest, shards, learn, began }
}

test('when all goes well, only what is wanted is asked', async () => {
  const { run, shards } = setUp()
  assert.deepEqual(await run([0, 1, 2, 3]), [0, 1, 2, 3])
  assert.deepEqual(shards(), [0, 1, 2, 3])
  assert.deepEqual(await run([2]), [2])
  assert.deepEqual(shards(), [2])
})

test('who fails is made up for by as many others as it takes', async () => {
  const takes: Record<string, number | Error> = { b: storageError('shard.missing', { provider: 'b' }) }
  const { run, shards, failed } = setUp({ takes })
  assert.deepEqual(await run([0, 1, 2, 3]), [0, 2, 3, 4])
  assert.deepEqual([shards(), failed.splice(0)], [[0, 1, 2, 3, 4], [1]])
  assert.equal((await run([1])).length, 4, 'one shard of a small object: the others are asked for the same stretch')
  assert.deepEqual([shards(), failed], [[1, 0, 2, 3, 4], [1]])
})

test('with fewer than are needed the race is lost, and what came is given back', async () => {
  const gone = storageError('shard.missing', { provider: 'x' })
  const { settle, race, discarded, asked } = setUp({ takes: { a: gone, c: gone, e: gone } })
  await assert.rejects(settle(race([0, 1, 2, 3])), (error: { code?: string; details?: unknown }) => {
    assert.equal(error.code, 'object.damaged')
    return true
  })
  assert.deepEqual([asked.length, discarded.toSorted((a, b) => a - b)], [6, [1, 3, 5]])
  await assert.rejects(settle(race([0, 1], { without: new Set([1, 3]) })), { code: 'object.damaged' })
  assert.ok(asked.slice(6).every(({ shard }) => shard !== 1 && shard !== 3))
})

test('who is late is hedged once it is among the slowest of its provider, and ended when it is not needed', async () => {
  const { takes, learn, run, asked, clock, began } = setUp()
  await learn()
  takes.c = 60
  const start = clock.now() - began
  assert.deepEqual(await run([0, 1, 2, 3]), [0, 1, 3, 4])
  assert.deepEqual(
    asked.map(({ shard, at }) => [shard, at - start]),
    [
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 11],
    ],
  )
  assert.equal(asked[2]?.signal.aborted, false, 'one late answer goes on, to see how slow it is')
  await run([0, 1, 2, 3])
  assert.equal(asked[7]?.signal.aborted, true, 'but not two')
})

test('a late answer that nobody needs is discarded, and counts', async () => {
  const { takes, learn, run, rest, discarded, ground } = setUp()
  await learn()
  takes.c = 60
  await run([0, 1, 2, 3])
  await rest(100)
  assert.deepEqual(discarded, [2])
  for (let more = 0; more < 4; more++) ground.paces.noted('c', 1, 11)
  assert.equal(ground.paces.of('c', 1)?.usualMs, 11, 'the late one is the fifth of nine that took longer')
})

test('without hedges left the late one is waited for, until it is overdue', async () => {
  const { takes, learn, run, asked, ground, clock, began } = setUp({ hedgeShare: 0.001 })
  await learn()
  while (ground.hedges.spend());
  takes.c = silent
  const start = clock.now() - began
  await run([0, 1, 2, 3])
  assert.deepEqual([asked[4]?.shard, (asked[4]?.at as number) - start], [4, ground.limits.overdueMs])
})

test('dark providers are only asked when nobody else is left', async () => {
  const { ground, run, shards, takes } = setUp()
  ground.health.failed('a', storageError('shard.unreachable', { provider: 'a', reason: 'x' }))
  assert.deepEqual(await run([0, 1, 2, 3]), [1, 2, 3, 4])
  shards()
  for (const provider of ['b', 'c', 'd']) takes[provider] = storageError('shard.missing', { provider })
  await assert.rejects(run([0, 1, 2, 3]), { code: 'object.damaged' })
  assert.deepEqual(shards().at(-1), 0)
})

test('a provider that became slow is spared, asked again now and then, and used again when it is quick', async () => {
  const { takes, learn, run, rest, shards, asked } = setUp()
  await learn()
  takes.b = 100
  for (let round = 0; round < 20; round++) {
    await run([0, 1, 2, 3])
    await rest(100)
  }
  shards()
  await rest(10)
  for (let round = 0; round < 9; round++) await run([0, 1, 2, 3])
  assert.deepEqual(
    asked.splice(0).filter(({ shard }) => shard === 1),
    [],
  )
  await rest(2000)
  assert.deepEqual(await run([0, 1, 2, 3]), [0, 2, 3, 4])
  assert.ok(shards().includes(1), 'it is asked beside those that stand in for it')
  takes.b = 10
  for (let round = 0; round < 20; round++) {
    await rest(1100)
    await run([0, 1, 2, 3])
  }
  shards()
  assert.deepEqual(await run([0, 1, 2, 3]), [0, 1, 2, 3])
  assert.deepEqual(shards(), [0, 1, 2, 3])
})

test('when all are slow together, nobody is spared', async () => {
  const { takes, learn, run, shards } = setUp()
  await learn()
  for (const holder of holders) takes[holder] = 500
  for (let round = 0; round < 20; round++) await run([0, 1, 2, 3])
  shards()
  await run([0, 1, 2, 3])
  assert.deepEqual(shards().slice(0, 4), [0, 1, 2, 3])
})

test('no more reads at one provider than allowed; those that would wait go to others, if there are any', async () => {
  const { race, settle, shards, asked } = setUp({ providerReads: 1 })
  const races = [race([0, 1, 2, 3]), race([0, 1, 2, 3]), race([4])]
  await settle(Promise.all(races))
  assert.deepEqual(
    asked.filter(({ at }) => at === 0).map(({ shard }) => shard),
    [0, 1, 2, 3, 4, 5],
  )
  shards()
})

test('who stops a race gets the reason, and what was on its way ends', async () => {
  const { race, settle, rest, discarded, asked } = setUp({ takes: { a: 1, b: silent, c: silent, d: silent } })
  const stop = new AbortController()
  const racing = race([0, 1, 2, 3], { signal: stop.signal })
  const outcome = assert.rejects(racing, { message: 'enough' })
  await rest(5)
  stop.abort(new Error('enough'))
  await outcome
  assert.deepEqual(
    [discarded, asked.filter(({ signal }) => signal.aborted).map(({ shard }) => shard)],
    [[0], [1, 2, 3]],
  )
  await assert.rejects(settle(race([0], { signal: stop.signal })), { message: 'enough' })
})

test('a process that was held up looks again before it asks others', async () => {
  let now = 0
  const timers: { due: number; act: () => void; dead: boolean }[] = []
  const clock = {
    now: () => now,
    after(ms: number, act: () => void) {
      const timer = { due: now + ms, act, dead: false }
      timers.push(timer)
      return () => {
        timer.dead = true
      }
    },
  }
  const limits = { ...defaultLimits }
  const ground = {
    clock,
    limits,
    health: openHealth({ clock, log: () => {} }),
    hedges: openHedges(1),
    paces: openPaces(clock, 1000),
    lanes: openLanes(64, 64),
  }
  const answers: (() => void)[] = []
  const asked: number[] = []
  const racing = raceShards(ground, {
    holders,
    need: 4,
    wanted: [0, 1, 2, 3],
    units: 1,
    key: 'k',
    ask: (shard) =>
      new Promise<number>((resolve) => {
        asked.push(shard)
        answers.push(() => resolve(shard))
      }),
    discard: () => undefined,
    failed: () => undefined,
    signal: never,
  })
  const turn = () => new Promise((next) => setImmediate(next))
  await turn()
  now += 5000
  for (const timer of timers.splice(0)) if (!timer.dead) timer.act()
  assert.equal(asked.length, 4)
  for (const answer of answers) answer()
  assert.equal((await racing).size, 4)
  assert.equal(asked.length, 4)
})
