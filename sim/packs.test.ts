import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { defaultPolicy } from '#pool'
import type { WriteCondition } from '#storage'
import { openArchipelago, quickLimits } from './archipelago.ts'
import { checkAtRest } from './checks.ts'
import { bucket, finish, type Life, newCall, sleepFor } from './life.ts'
import { openModel } from './model.ts'
import { shardsOn } from './shards-on.ts'
import { openWorld } from './world.ts'

async function openLife(seed: number, limits = quickLimits): Promise<Life> {
  const world = openWorld(seed)
  const archipelago = await openArchipelago(world, limits)
  const none = { bad: [], wide: false, lasting: false, damaged: new Set<string>(), problems: [] }
  const life: Life = { world, archipelago, model: openModel(), ...none, nextId: 1, phase: -1 }
  await finish(life, () => archipelago.gateway().storage.objects.createBucket(newCall(), { name: bucket }))
  return life
}

const contentOf = (key: string, size: number) => Buffer.alloc(size, createHash('sha256').update(key).digest())

function put({ archipelago }: Life, key: string, size: number, condition: WriteCondition = {}) {
  const bytes = contentOf(key, size)
  const chunks = (async function* () {
    yield new Uint8Array(bytes)
  })()
  const body = { size, chunks, finish: () => undefined }
  const { objects } = archipelago.gateway().storage
  return objects.putObject(newCall(), { bucket, key, headers: {}, condition, body })
}

async function get({ archipelago }: Life, key: string): Promise<Buffer> {
  const opened = await archipelago.gateway().storage.objects.openObject(newCall(), { bucket, key })
  const chunks: Uint8Array[] = []
  for await (const chunk of opened.read(undefined)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const count = ({ archipelago }: Life, table: string) =>
  Number(archipelago.index.look(`SELECT COUNT(*) AS n FROM ${table}`)[0]?.n)

const keysOf = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `k${from + at}`)

test('objects that come together share packs, a lone one does not wait, and a refusal is the refused one’s alone', async () => {
  const life = await openLife(1)
  await finish(life, () => put(life, 'taken', 100))
  assert.equal(count(life, 'packs'), 1)
  const outcomes = await finish(life, () =>
    Promise.allSettled([
      ...keysOf(0, 40).map((key) => put(life, key, 1000)),
      put(life, 'taken', 50, { ifNoneMatch: true }),
      put(life, 'k0', 2000),
    ]),
  )
  assert.deepEqual(
    outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : [])),
    ['object.precondition'],
  )
  assert.ok(count(life, 'packs') <= 5, `${count(life, 'packs')} packs`)
  for (const key of keysOf(1, 40)) assert.deepEqual(await finish(life, () => get(life, key)), contentOf(key, 1000))
  // Two that meet may come in either order.
  assert.ok([1000, 2000].includes((await finish(life, () => get(life, 'k0'))).length))
  assert.deepEqual(await finish(life, () => get(life, 'taken')), contentOf('taken', 100))
  await sleepFor(life, quickLimits.readerGraceMs + 2000)
  checkAtRest(life)
  life.archipelago.close()
})

test('writers that come again when they were answered share the next pack', async () => {
  const life = await openLife(7)
  life.archipelago.index.faults.delayMs = 0
  const lane = async (name: string) => {
    for (const key of keysOf(0, 3)) await put(life, `${name}/${key}`, 500)
  }
  await finish(life, () => Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(lane)))
  // Without that, one of them is always by itself and the others are the next: six.
  assert.ok(count(life, 'packs') <= 4, `${count(life, 'packs')} packs`)
  life.archipelago.close()
})

test('packs that hold little are written together, and what was in them is read all the while', async () => {
  const life = await openLife(2)
  for (const key of keysOf(0, 12)) await finish(life, () => put(life, key, 300))
  for (let waited = 0; count(life, 'packs') > 5 && waited < 50; waited++) {
    await sleepFor(life, 200)
    for (const key of keysOf(0, 12)) assert.deepEqual(await finish(life, () => get(life, key)), contentOf(key, 300))
  }
  assert.ok(count(life, 'packs') <= 5, `${count(life, 'packs')} packs`)
  // Their shards go when nobody can be reading them any more.
  await sleepFor(life, quickLimits.readerGraceMs + quickLimits.strayMs + 2000)
  const names = new Set(
    life.archipelago.index.look('SELECT names FROM segments').flatMap(({ names }) => String(names).match(/.{32}/g)),
  )
  for (const { provider, disk } of life.archipelago.providers) {
    const left = [...shardsOn(disk).keys()].filter((name) => !names.has(name))
    assert.deepEqual(left, [], provider.id)
  }
  checkAtRest(life)
  life.archipelago.close()
})

test('a pack whose objects are all gone goes too', async () => {
  const life = await openLife(3)
  const { objects } = life.archipelago.gateway().storage
  await finish(life, () => Promise.all(keysOf(0, 10).map((key) => put(life, key, 500))))
  for (const key of keysOf(0, 10))
    await finish(life, () => objects.deleteObject(newCall(), { bucket, key, condition: {} }))
  assert.deepEqual([count(life, 'packs'), count(life, 'packed'), count(life, 'loose_packs')], [0, 0, 0])
  await sleepFor(life, quickLimits.readerGraceMs + quickLimits.strayMs + 2000)
  assert.deepEqual([count(life, 'segments'), count(life, 'dead_bodies'), count(life, 'strays')], [0, 0, 0])
  life.archipelago.close()
})

test('with a narrower policy, packed objects leave the providers that it excludes', async () => {
  const life = await openLife(4)
  const { objects, report } = life.archipelago.gateway().storage
  await finish(life, () => Promise.all(keysOf(0, 30).map((key) => put(life, key, 700))))
  const policy = { ...defaultPolicy, jurisdictions: ['DE', 'FR', 'NL', 'CH'] }
  await finish(life, () => objects.setBucketPolicy(newCall(), { name: bucket, policy }))
  const allowed = life.archipelago.providers
    .filter(({ provider }) => policy.jurisdictions.includes(provider.country))
    .map(({ provider }) => provider.id)
  const outside = () =>
    life.archipelago.index
      .look('SELECT p.holders FROM packs k JOIN segments s ON s.body = k.id JOIN placements p ON p.id = s.placement')
      .filter(
        ({ holders }) =>
          !String(holders)
            .split(',')
            .every((holder) => allowed.includes(holder)),
      ).length
  assert.ok((await finish(life, report)).degraded > 0)
  for (let waited = 0; outside() > 0 && waited < 50; waited++) await sleepFor(life, 200)
  assert.equal(outside(), 0)
  for (let waited = 0; (await finish(life, report)).degraded > 0 && waited < 50; waited++) await sleepFor(life, 200)
  assert.equal((await finish(life, report)).degraded, 0)
  for (const key of keysOf(0, 30)) assert.deepEqual(await finish(life, () => get(life, key)), contentOf(key, 700))
  await sleepFor(life, quickLimits.readerGraceMs + 2000)
  checkAtRest(life)
  life.archipelago.close()
})

test('a liar is found out and named, and the object is read all the same', async () => {
  const life = await openLife(5)
  await finish(life, () => put(life, 'k', 20_000))
  const [row] = life.archipelago.index.look('SELECT p.holders FROM segments s JOIN placements p ON p.id = s.placement')
  const liars = String(row?.holders).split(',').slice(0, 2)
  for (const { provider, remote } of life.archipelago.providers) {
    if (liars.includes(provider.id)) remote.faults.lying = 1
  }
  assert.deepEqual(await finish(life, () => get(life, 'k')), contentOf('k', 20_000))
  await sleepFor(life, 20)
  assert.ok(count(life, 'gaps') > 0)
  life.archipelago.close()
})

test('what is counted as it comes and goes is what there is', async () => {
  const life = await openLife(6)
  const { objects, report } = life.archipelago.gateway().storage
  await finish(life, () => Promise.all(keysOf(0, 12).map((key) => put(life, key, 900))))
  await finish(life, () => put(life, 'large', 500_000))
  await finish(life, () => objects.deleteObject(newCall(), { bucket, key: 'k3', condition: {} }))
  await finish(life, () => put(life, 'large', 300_000))
  await sleepFor(life, quickLimits.readerGraceMs + 2000)
  assert.equal((await finish(life, report)).objects, 12)
  assert.deepEqual(
    life.archipelago.index.look('SELECT * FROM placement_counts ORDER BY placement, scope, k, m'),
    life.archipelago.index.look(`SELECT placement, scope, k, m, COUNT(*) AS segments, SUM(size) AS bytes FROM segments
      GROUP BY placement, scope, k, m ORDER BY placement, scope, k, m`),
  )
  life.archipelago.close()
})
