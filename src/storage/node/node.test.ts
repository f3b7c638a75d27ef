import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MemoryDisk, openMemoryDisk } from '../../../sim/ports/disk.ts'
import { openWorld, type World } from '../../../sim/world.ts'
import { openGroupedSync } from './grouped-sync.ts'
import { openKnownNames } from './known-names.ts'
import { type Node, openNode } from './node.ts'

const day = 86_400_000
const quotaBytes = 1000
const config = { provider: 'p', quotaBytes, trashMs: 14 * day, reserveBytes: 0, shortBytes: 0, bundleBytes: 4096 }
const nameOf = (number: number) => `ab${String(number).padStart(30, '0')}`

type Under = { world: World; disk: MemoryDisk; node: Node; settle<T>(promise: Promise<T>): Promise<T> }

async function open(delayMs = 0, capacityBytes = Number.POSITIVE_INFINITY): Promise<Under> {
  const world = openWorld(1)
  const disk = openMemoryDisk(world, { delayMs, capacityBytes })
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let done = false
    promise.then(
      () => (done = true),
      () => (done = true),
    )
    await world.runUntil(() => done, 30 * day)
    return promise
  }
  const node = await settle(start(world, disk))
  return { world, disk, node, settle }
}

const start = (world: World, disk: MemoryDisk) =>
  openNode({ disk: disk.connect(), clock: world.clock, random: world.random, log: () => {} }, config)

async function put(node: Node, name: string, length: number): Promise<void> {
  const writer = await node.create(name, length)
  await writer.write(new Uint8Array(length))
  await writer.finish()
}

test('finishes that meet share the sync of their folder; each file has its own', async () => {
  const { node, disk, settle } = await open(5)
  const writers = await settle(Promise.all(Array.from({ length: 20 }, (_, at) => node.create(nameOf(at), 1))))
  await settle(Promise.all(writers.map((writer) => writer.write(Uint8Array.of(1)))))
  const before = disk.syncs()
  await settle(Promise.all(writers.map((writer) => writer.finish())))
  const syncs = disk.syncs() - before
  assert.ok(syncs >= 21 && syncs <= 30, `20 files and a few folders, not ${syncs}`)
  assert.equal(node.status().syncs, disk.syncs())
  for (let at = 0; at < 20; at++) assert.ok(disk.isDurable(`shards/ab/${nameOf(at)}`, 1))
})

test('a shared sync is one that began after it was asked for', async () => {
  const began: string[] = []
  const ends: (() => void)[] = []
  const disk = openMemoryDisk(openWorld(1)).connect()
  const sync = openGroupedSync({
    ...disk,
    syncDirectory: (path) =>
      new Promise((resolve) => {
        began.push(path)
        ends.push(resolve)
      }),
  })
  const settled: number[] = []
  const ask = (id: number) => void sync.directory('a').then(() => settled.push(id))
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  ask(1)
  ask(2)
  ask(3)
  await turn()
  assert.deepEqual([began.length, settled], [1, []])
  ends[0]?.()
  await turn()
  assert.deepEqual([began.length, settled], [2, [1]])
  ask(4)
  ends[1]?.()
  await turn()
  assert.deepEqual([began.length, settled], [3, [1, 2, 3]])
  ends[2]?.()
  await turn()
  assert.deepEqual(settled, [1, 2, 3, 4])
})

test('a failed sync fails everybody who shared it, and nobody after', async () => {
  const disk = openMemoryDisk(openWorld(1)).connect()
  let broken = true
  const sync = openGroupedSync({
    ...disk,
    syncDirectory: async () => {
      await new Promise((resolve) => setImmediate(resolve))
      if (broken) throw new Error('input/output error')
    },
  })
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => sync.directory('a')))
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  broken = false
  await sync.directory('a')
})

test('room is promised when a shard begins and given back when it is given up', async () => {
  const { node } = await open()
  const first = await node.create(nameOf(1), 600)
  await assert.rejects(node.create(nameOf(2), 401), { code: 'shard.full' })
  const second = await node.create(nameOf(3), 400)
  assert.equal(node.status().usedBytes, 1000)
  first.abort()
  second.abort()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(node.status().usedBytes, 0)
  await put(node, nameOf(4), 1000)
})

test('a disk that fills up in the middle leaves nothing behind', async () => {
  const { node, disk } = await open(0, 500)
  const writer = await node.create(nameOf(1), 400)
  disk.faults.capacityBytes = 100
  await assert.rejects(writer.write(new Uint8Array(400)), { code: 'shard.full' })
  assert.deepEqual([...disk.files().keys()], [])
  assert.equal(node.status().usedBytes, 0)
  disk.faults.capacityBytes = 500
  await put(node, nameOf(1), 400)
})

/** A node over a disk of which one sync fails, as long as `broken` says so. */
async function openBroken(broken: { file: boolean; folder: boolean }): Promise<Under> {
  const under = await open()
  const connected = under.disk.connect()
  let opened = false
  const fail = (): never => {
    throw Object.assign(new Error('input/output error'), { code: 'EIO' })
  }
  const node = await openNode(
    {
      clock: under.world.clock,
      random: under.world.random,
      log: () => {},
      disk: {
        ...connected,
        create: async (path) => {
          const file = await connected.create(path)
          return { ...file, sync: async () => (opened && broken.file ? fail() : file.sync()) }
        },
        syncDirectory: async (path) => (opened && broken.folder ? fail() : connected.syncDirectory(path)),
      },
    },
    config,
  )
  opened = true
  return { ...under, node }
}

test('a shard whose bytes may be lost is taken back, and stays away after a crash', async () => {
  const broken = { file: true, folder: false }
  const { node, disk } = await openBroken(broken)
  await assert.rejects(put(node, nameOf(1), 10), { code: 'EIO' })
  assert.deepEqual([...disk.files().keys()], [])
  assert.deepEqual([node.status().usedBytes, node.status().shards], [0, 0])
  broken.file = false
  await put(node, nameOf(2), 10)
  disk.crash()
  assert.deepEqual([...disk.files().keys()], [`shards/ab/${nameOf(2)}`])
})

test('where nobody can say what a crash would leave, that is the answer', async () => {
  for (const file of [false, true]) {
    const { node, disk } = await openBroken({ file, folder: true })
    await assert.rejects(put(node, nameOf(1), 10), { code: 'shard.uncertain' })
    assert.equal(disk.files().size, file ? 0 : 1)
    assert.equal(node.status().usedBytes, file ? 0 : 10)
  }
})

test('a shard has exactly the length it was begun with', async () => {
  const { node, disk } = await open()
  const short = await node.create(nameOf(1), 10)
  await short.write(new Uint8Array(9))
  await assert.rejects(short.finish(), { code: 'body.short' })
  const long = await node.create(nameOf(2), 10)
  await assert.rejects(long.write(new Uint8Array(11)), { code: 'body.long' })
  await assert.rejects(long.finish(), { code: 'shard.missing' })
  assert.deepEqual([...disk.files().keys()], [])
  assert.equal(node.status().usedBytes, 0)
})

test('a name that was never used is not looked for on the disk; one that was is found, also after a restart', async () => {
  const { world, disk, node, settle } = await open()
  await put(node, nameOf(1), 10)
  await put(node, nameOf(2), 10)
  await node.trash(nameOf(2))
  const connected = disk.connect()
  let looks = 0
  const counted = {
    ...connected,
    open(path: string) {
      looks++
      return connected.open(path)
    },
  }
  const next = await settle(
    openNode({ disk: counted, clock: world.clock, random: world.random, log: () => {} }, config),
  )
  looks = 0
  for (let at = 3; at < 50; at++) await put(next, nameOf(at * 7919), 1)
  assert.equal(looks, 0)
  for (const name of [nameOf(1), nameOf(2), nameOf(3 * 7919)]) {
    await assert.rejects(next.create(name, 1), { code: 'shard.exists' })
  }
})

test('every name that was added is known, and few others are', () => {
  const known = openKnownNames()
  const { random } = openWorld(1)
  const fresh = () => Buffer.from(random.bytes(16)).toString('hex')
  const names = Array.from({ length: 200_000 }, fresh)
  for (const name of names) known.add(name)
  assert.ok(names.every((name) => known.has(name)))
  const wrong = Array.from({ length: 20_000 }, fresh).filter((name) => known.has(name)).length
  assert.ok(wrong < 200, `${wrong} of 20000`)
})

test('names that are no names never reach the disk', async () => {
  const { node } = await open()
  for (const name of ['', '../../etc/passwd', 'AB'.repeat(16), 'ab'.repeat(17), `${'ab'.repeat(16)}/`]) {
    await assert.rejects(node.create(name, 1), { code: 'shard.denied' })
    await assert.rejects(node.read(name, 0, 1), { code: 'shard.missing' })
    await node.trash(name)
  }
  await assert.rejects(node.create(nameOf(1), 0), { code: 'shard.denied' })
})

test('trashing a name that is being written ends the writing, at whatever step it is', async () => {
  const { node, disk, settle, world } = await open(3)
  const began = node.create(nameOf(1), 1)
  const trash = node.trash(nameOf(1))
  const writer = await settle(began)
  await settle(trash)
  await assert.rejects(settle(writer.write(Uint8Array.of(1))), { code: 'shard.missing' })

  const second = await settle(node.create(nameOf(2), 1))
  await settle(second.write(Uint8Array.of(1)))
  await settle(node.trash(nameOf(2)))
  await assert.rejects(settle(second.finish()), { code: 'shard.missing' })

  const third = await settle(node.create(nameOf(3), 1))
  await settle(third.write(Uint8Array.of(1)))
  const finishing = third.finish()
  await world.runUntil(() => true, 1)
  await settle(Promise.all([finishing, node.trash(nameOf(3))]))
  assert.deepEqual([...disk.files().keys()], [`trash/2026-01-01/${nameOf(3)}`])
  assert.deepEqual([node.status().shards, node.status().trashedShards, node.status().usedBytes], [0, 1, 1])
})

test('the trash is kept for its days, whoever asks, and what others put there is left alone', async () => {
  const { node, disk, world, settle } = await open()
  await put(node, nameOf(1), 10)
  await node.trash(nameOf(1))
  await disk.connect().makeDirectory('trash/0-notes')
  const wait = async (ms: number) => {
    let over = false
    world.clock.after(ms, () => {
      over = true
    })
    await world.runUntil(() => over, ms + 1)
  }
  await wait(14 * day)
  assert.equal(await settle(node.purge()), 0)
  await assert.rejects(node.create(nameOf(1), 1), { code: 'shard.exists' })
  await wait(day)
  assert.equal(await settle(node.purge()), 1)
  assert.deepEqual([node.status().usedBytes, node.status().trashedShards], [0, 0])
  assert.deepEqual(await disk.connect().list('trash'), ['0-notes'])
})

test('what a killed process left is durable once the next one has started', async () => {
  const { disk, world, settle } = await open()
  const raw = disk.connect()
  await raw.makeDirectory('shards/ab')
  const file = await raw.create(`shards/ab/${nameOf(1)}`)
  await file.write(new Uint8Array(7))
  await file.sync()
  assert.ok(!disk.isDurable(`shards/ab/${nameOf(1)}`, 7))
  const next = await settle(start(world, disk))
  assert.equal(next.status().usedBytes, 7)
  assert.ok(disk.isDurable(`shards/ab/${nameOf(1)}`, 7))
})
