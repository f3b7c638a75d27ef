import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type MemoryDisk, openMemoryDisk } from '../../../../sim/ports/disk.ts'
import { openWorld, type World } from '../../../../sim/world.ts'
import { type Node, openNode } from '../node.ts'

const day = 86_400_000
const config = {
  provider: 'p',
  quotaBytes: 1e9,
  trashMs: 14 * day,
  reserveBytes: 0,
  shortBytes: 1000,
  bundleBytes: 4096,
}
const nameOf = (at: number) => `${at % 3}${at}`.padEnd(32, 'e')
const bytesOf = (at: number) => Buffer.alloc(200 + at * 7, `${at} `)

type Under = { world: World; disk: MemoryDisk; node: Node; events: string[] }

async function open(world: World, disk: MemoryDisk): Promise<Under> {
  const events: string[] = []
  const log = (_: string, event: string) => void events.push(event)
  const node = await settle(
    world,
    openNode({ disk: disk.connect(), clock: world.clock, random: world.random, log }, config),
  )
  return { world, disk, node, events }
}

async function fresh(seed = 1, delayMs = 0): Promise<Under> {
  const world = openWorld(seed)
  return open(world, openMemoryDisk(world, { delayMs }))
}

async function settle<T>(world: World, promise: Promise<T>): Promise<T> {
  let done = false
  const end = () => {
    done = true
  }
  promise.then(end, end)
  await world.runUntil(() => done, 1e7)
  return promise
}

async function pass(world: World, days: number): Promise<void> {
  let over = false
  world.clock.after(days * day, () => {
    over = true
  })
  await world.runUntil(() => over, days * day + 1)
}

async function put(node: Node, at: number): Promise<void> {
  const writer = await node.create(nameOf(at), bytesOf(at).length)
  await writer.write(bytesOf(at))
  await writer.finish()
}

const bundlesOf = (disk: MemoryDisk) => [...disk.files()].filter(([path]) => /^bundles\/\d+$/.test(path))
const bytesIn = (disk: MemoryDisk) => bundlesOf(disk).reduce((sum, [, bytes]) => sum + bytes.length, 0)
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at)

async function checkHolds({ world, node, disk }: Under, live: readonly number[], gone: readonly number[]) {
  for (const at of live) {
    const got = await settle(world, node.read(nameOf(at), 0, bytesOf(at).length))
    assert.deepEqual(Buffer.from(got), bytesOf(at), `shard ${at}`)
  }
  for (const at of gone) await assert.rejects(settle(world, node.read(nameOf(at), 0, 1)), { code: 'shard.missing' })
  assert.deepEqual(await settle(world, node.list('', 100)), live.map(nameOf).sort())
  assert.equal(node.status().shards, live.length)
  assert.equal(node.status().usedBytes, bytesIn(disk))
}

test('what is forgotten gives its room back, and the rest stays where it can be found', async () => {
  const under = await fresh()
  const { world, disk, node } = under
  for (const at of numbers(60)) await settle(world, put(node, at))
  assert.ok(bundlesOf(disk).length > 5, `${bundlesOf(disk).length} bundles`)
  const full = bytesIn(disk)
  const live = numbers(60).filter((at) => at % 6 === 0)
  const gone = numbers(60).filter((at) => at % 6 !== 0)
  for (const at of gone) await settle(world, node.trash(nameOf(at)))
  assert.equal(await settle(world, node.purge()), 0)
  await checkHolds(under, live, gone)
  await pass(world, 16)
  assert.equal(await settle(world, node.purge()), gone.length)
  for (let more = 0; more < 3; more++) await settle(world, node.purge())
  assert.ok(bytesIn(disk) < full / 2, `${bytesIn(disk)} of ${full} bytes`)
  await checkHolds(under, live, gone)
  disk.crash()
  const again = await open(world, disk)
  // A crash may bring a bundle back that was removed; what was forgotten is in the trash again, not alive.
  await checkHolds(again, live, gone)
})

test('a shard of the trash stays there while its bundle is rewritten', async () => {
  const under = await fresh()
  const { world, disk, node } = under
  for (const at of numbers(4)) await settle(world, put(node, at))
  await settle(world, node.trash(nameOf(1)))
  // A start leaves small bundles behind, which the next purge joins.
  const second = await open(world, disk)
  await settle(world, second.node.purge())
  const third = await open(world, disk)
  await settle(world, third.node.purge())
  assert.ok(bundlesOf(disk).length <= 2)
  await checkHolds(third, [0, 2, 3], [1])
  assert.equal(third.node.status().trashedShards, 1)
  await assert.rejects(settle(world, third.node.create(nameOf(1), 5)), { code: 'shard.exists' })
})

test('power cuts and failing disks in the middle of rewriting lose nothing and bring nothing back', async () => {
  const seeds = fc.record({ seed: fc.nat(1e9), failing: fc.constantFrom(0, 0.05) })
  await fc.assert(
    fc.asyncProperty(seeds, async ({ seed, failing }) => {
      let under = await fresh(seed, 3)
      const { world, disk } = under
      for (const at of numbers(30)) await settle(world, put(under.node, at))
      const gone = numbers(30).filter(() => world.chance(0.6))
      const live = numbers(30).filter((at) => !gone.includes(at))
      for (const at of gone) await settle(world, under.node.trash(nameOf(at)))
      for (let life = 0; life < 3; life++) {
        disk.faults.failing = failing
        if (world.chance(0.5)) world.clock.after(20 * day, () => {})
        const purging = under.node.purge().catch((error: unknown) => error)
        const until = world.clock.now() + world.dice(100)
        world.clock.after(100, () => {})
        await world.runUntil(() => world.clock.now() >= until, 1e7)
        void purging
        disk.crash()
        disk.faults.failing = 0
        under = await open(world, disk)
        await checkHolds(under, live, gone)
      }
    }),
    { numRuns: 150 },
  )
})

test('after a disk that failed, what was not acknowledged can be trashed, and stays away', async () => {
  const { world, disk, node } = await fresh()
  await settle(world, put(node, 1))
  disk.faults.lieAboutSync = false
  const writer = await settle(world, node.create(nameOf(2), bytesOf(2).length))
  await settle(world, writer.write(bytesOf(2)))
  // The bytes are written, their sync fails.
  let failed = false
  const finishing = writer.finish().catch((error: unknown) => {
    failed = true
    assert.equal((error as { code?: string }).code, 'shard.uncertain')
  })
  disk.faults.failing = 1
  await settle(world, finishing)
  assert.ok(failed)
  disk.faults.failing = 0
  await assert.rejects(settle(world, node.read(nameOf(2), 0, 1)), { code: 'shard.missing' })
  await assert.rejects(settle(world, node.create(nameOf(2), 5)), { code: 'shard.exists' })
  await settle(world, node.trash(nameOf(2)))
  const again = await open(world, disk)
  await checkHolds(again, [1], [2])
})

test('a bundle that the disk has lost is said, and takes its shards with it', async () => {
  const under = await fresh()
  const { world, disk } = under
  for (const at of numbers(3)) await settle(world, put(under.node, at))
  const again = await open(world, disk)
  for (const at of [3, 4]) await settle(world, put(again.node, at))
  disk.lose('bundles/00000001')
  await assert.rejects(settle(world, again.node.read(nameOf(0), 0, 1)), { code: 'shard.missing' })
  await settle(world, again.node.purge())
  assert.ok(again.events.includes('bundle.lost'))
  await checkHolds(again, [3, 4], [0, 1, 2])
})
