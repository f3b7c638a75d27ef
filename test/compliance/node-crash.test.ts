import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasCode } from '#kernel'
import { type Node, type NodeConfig, openNode } from '#storage'
import { type MemoryDisk, openMemoryDisk } from '../../sim/ports/disk.ts'
import { openWorld, type World } from '../../sim/world.ts'

const files = {
  provider: 'p',
  quotaBytes: 1e9,
  trashMs: 14 * 86_400_000,
  reserveBytes: 0,
  shortBytes: 0,
  bundleBytes: 4096,
}
const bundles = { ...files, shortBytes: 1500, bundleBytes: 4000 }
const names = Array.from({ length: 5 }, (_, at) => `${at % 2}${at}`.padEnd(32, 'f'))

/** What is known about one name from outside. */
type Known = { attempts: Buffer[]; stored: Buffer | undefined; trashAsked: boolean; trashed: boolean }

/** One life of a node: writers, readers and removers at once over a slow disk, power cuts in between. */
async function live(config: NodeConfig, seed: number, failing: number): Promise<void> {
  const world = openWorld(seed)
  const disk = openMemoryDisk(world, { delayMs: 4 })
  const known = new Map(names.map((name): [string, Known] => [name, fresh()]))
  for (let life = 0; life < 4; life++) {
    disk.faults.failing = 0
    const node = await start(config, world, disk)
    await checkAll(world, disk, node, known)
    disk.faults.failing = failing
    const faults: unknown[] = []
    const crew = Array.from({ length: 12 }, (_, id) =>
      work(world, node, known, `${life}.${id}`).catch((error: unknown) => faults.push(error)),
    )
    const over = Promise.all(crew)
    let rested = false
    void over.then(() => {
      rested = true
    })
    const lasts = world.chance(0.8) ? world.dice(120) : 1e6
    const powerCut = world.clock.now() + lasts
    world.clock.after(lasts, () => {})
    await world.runUntil(() => rested || world.clock.now() >= powerCut || faults.length > 0, 1e7)
    if (faults.length > 0) throw faults[0]
    disk.crash()
  }
  disk.faults.failing = 0
  await checkAll(world, disk, await start(config, world, disk), known)
}

const fresh = (): Known => ({ attempts: [], stored: undefined, trashAsked: false, trashed: false })

async function start(config: NodeConfig, world: World, disk: MemoryDisk): Promise<Node> {
  return settled(
    world,
    openNode({ disk: disk.connect(), clock: world.clock, random: world.random, log: () => {} }, config),
  )
}

async function settled<T>(world: World, promise: Promise<T>): Promise<T> {
  let done = false
  const end = () => {
    done = true
  }
  promise.then(end, end)
  await world.runUntil(() => done, 1e7)
  return promise
}

async function work(world: World, node: Node, known: Map<string, Known>, id: string): Promise<void> {
  for (let step = 0; step < 4; step++) {
    const name = names[world.dice(names.length)] as string
    const entry = known.get(name) as Known
    const deed = world.dice(9)
    try {
      if (deed === 8) await node.purge()
      else if (deed === 0) {
        entry.trashAsked = true
        const wasStored = entry.stored !== undefined
        await node.trash(name)
        if (wasStored) entry.trashed = true
      } else if (deed < 3) await look(node, name, entry)
      else await write(world, node, name, entry, `${id}.${step}`)
    } catch (error) {
      const broken = (error as { code?: string }).code === 'EIO'
      if (!broken && !hasCode(error, 'shard.exists', 'shard.missing', 'shard.uncertain')) throw error
    }
  }
}

async function write(world: World, node: Node, name: string, entry: Known, mark: string): Promise<void> {
  const content = Buffer.alloc(1 + world.dice(3000), `${mark} `)
  const wasTaken = entry.stored !== undefined
  entry.attempts.push(content)
  const writer = await node.create(name, content.length)
  assert.ok(!wasTaken, `${name} was begun again although it had been stored`)
  const cut = world.dice(content.length)
  await writer.write(content.subarray(0, cut))
  if (world.chance(0.15)) return writer.abort()
  await writer.write(content.subarray(cut))
  await writer.finish()
  assert.equal(entry.stored, undefined, `${name} was acknowledged twice`)
  entry.stored = content
}

/** A name that was stored is there until somebody trashes it. */
async function look(node: Node, name: string, entry: Known): Promise<void> {
  const { stored, trashAsked, attempts } = entry
  const possible = stored ? [stored] : attempts
  try {
    const [first] = await node.read(name, 0, 1)
    assert.ok(possible.length > 0 && first !== undefined)
  } catch (error) {
    if (hasCode(error, 'shard.missing')) assert.ok(!stored || trashAsked || entry.trashAsked, `${name} was lost`)
    // Torn down to nothing, which only a shard can be that was promised to nobody.
    else if (!hasCode(error, 'shard.range') || stored) throw error
  }
}

/** What a power cut may leave of a shard that was promised to nobody: its beginning, of which the last byte may be anything. */
function isTorn(attempt: Buffer, content: Uint8Array): boolean {
  const sure = Math.max(0, content.length - 1)
  return content.length <= attempt.length && attempt.subarray(0, sure).equals(content.subarray(0, sure))
}

async function checkAll(world: World, disk: MemoryDisk, node: Node, known: Map<string, Known>): Promise<void> {
  let bytes = 0
  for (const [path, content] of disk.files()) {
    assert.ok(!path.startsWith('incoming/'), `${path} was left over`)
    if (path.endsWith('.index')) continue
    if (path.startsWith('bundles/')) {
      bytes += content.length
      continue
    }
    const { attempts, stored } = known.get(path.slice(-32)) as Known
    if (stored) assert.deepEqual(Buffer.from(content), stored, `${path} is not what was stored`)
    else
      assert.ok(
        attempts.some((attempt) => isTorn(attempt, content)),
        `${path} is not what anybody sent`,
      )
    bytes += content.length
  }
  assert.equal(node.status().usedBytes, bytes)
  for (const [name, { stored, trashAsked, trashed }] of known) {
    const reading = node.read(name, 0, stored?.length ?? 1)
    if (stored && !trashAsked) assert.deepEqual(Buffer.from(await settled(world, reading)), stored, `${name} was lost`)
    else if (trashed) await assert.rejects(settled(world, reading), { code: 'shard.missing' })
    else
      await settled(
        world,
        reading.catch(() => 'nobody was promised anything'),
      )
    if (stored && !trashAsked) {
      await assert.rejects(settled(world, node.create(name, 1)), { code: 'shard.exists' })
    }
  }
}

for (const [kind, config] of Object.entries({ files, bundles })) {
  test(`${kind}: whatever was acknowledged survives power cuts whole; what was not may be torn; no name is used twice`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e9), (seed) => live(config, seed, 0)),
      { numRuns: 300 },
    )
  })

  test(`${kind}: the same on a disk whose operations fail now and then`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e9), (seed) => live(config, seed, 0.03)),
      { numRuns: 200 },
    )
  })
}
