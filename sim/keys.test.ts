import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openArchipelago, quickLimits } from './archipelago.ts'
import { checkKeys } from './checks.ts'
import { bucket, finish, type Life, newCall, sleepFor } from './life.ts'
import { openModel } from './model.ts'
import { openWorld } from './world.ts'

/** Above what shares packs, so that it has segments of its own. */
const large = quickLimits.packBytes + 1

async function openLife(seed: number): Promise<Life> {
  const world = openWorld(seed)
  const archipelago = await openArchipelago(world)
  const none = { bad: [], wide: false, lasting: false, damaged: new Set<string>(), problems: [] }
  const life: Life = { world, archipelago, model: openModel(), ...none, nextId: 1, phase: -1 }
  await finish(life, () => archipelago.gateway().storage.objects.createBucket(newCall(), { name: bucket }))
  return life
}

function put(life: Life, key: string, size: number) {
  const chunks = (async function* () {
    yield new Uint8Array(size)
  })()
  const body = { size, chunks, finish: () => undefined }
  const { objects } = life.archipelago.gateway().storage
  return finish(life, () => objects.putObject(newCall(), { bucket, key, headers: {}, condition: {}, body }))
}

const remove = (life: Life, key: string) =>
  finish(life, () => life.archipelago.gateway().storage.objects.deleteObject(newCall(), { bucket, key, condition: {} }))
const keysOf = (life: Life, scope: string) =>
  life.archipelago.keys.look(`SELECT epoch FROM epoch_keys WHERE bucket = '${scope}'`).map((row) => row.epoch)
const scopeOf = (life: Life) => life.archipelago.index.look('SELECT id FROM buckets')[0]?.id as string
const shown = (life: Life) => finish(life, () => life.archipelago.gateway().storage.keys.epochs(newCall(), bucket))
const until = async (life: Life, what: string, look: () => Promise<boolean>) => {
  for (let waited = 0; waited < 300; waited++) {
    if (await look()) return
    await sleepFor(life, 200)
  }
  throw new Error(`in vain: ${what}`)
}

test('a rotation leaves behind what was deleted before it, and says what it erased', async () => {
  const life = await openLife(1)
  await put(life, 'gone-large', large)
  await put(life, 'gone-small', 100)
  await put(life, 'stays', large)
  const scope = scopeOf(life)
  await remove(life, 'gone-large')
  await remove(life, 'gone-small')
  await sleepFor(life, 1000)
  const { begunAt: began } = await finish(life, () =>
    life.archipelago.gateway().storage.keys.rotateBucket(newCall(), bucket),
  )
  const during = await shown(life)
  assert.deepEqual(
    during.epochs.map(({ epoch, state }) => [epoch, state]),
    [
      [1, 'leaving'],
      [2, 'current'],
    ],
  )
  assert.equal(during.erasure?.destroyedAt, undefined)
  assert.deepEqual([during.erasure?.before, during.erasure?.cause], [began, 'rotated'])
  let anew = 0
  await until(life, 'the old key is destroyed', async () => {
    // What was deleted before is never wrapped by the new epoch, not even while its shards still wait for the sweep.
    const dead = life.archipelago.index.look(
      'SELECT s.epoch FROM segments s JOIN dead_bodies d ON d.body = s.body WHERE s.epoch > 1',
    )
    anew += dead.length
    return (await shown(life)).move === undefined
  })
  assert.equal(anew, 0)
  assert.deepEqual(keysOf(life, scope), [2])
  const { erasure, epochs } = await shown(life)
  assert.deepEqual([erasure?.epochs, erasure?.before], [1, began])
  assert.ok((erasure?.destroyedAt as number) >= began + quickLimits.readerGraceMs)
  assert.deepEqual(
    epochs.map(({ epoch, state }) => [epoch, state]),
    [[2, 'current']],
  )
  const sentences = await finish(life, () =>
    life.archipelago.gateway().storage.keys.unconfirmed({ house: true }, erasure?.destroyedAt as number),
  )
  assert.match(sentences.join('\n'), /Copies of the key store .* from before 20/)
  life.archipelago.close()
})

test('a bucket that is deleted takes all of its keys with it, once its readers are done', async () => {
  const life = await openLife(2)
  const { keys, objects } = life.archipelago.gateway().storage
  await put(life, 'one', large)
  const scope = scopeOf(life)
  await remove(life, 'one')
  // In the middle of a rotation too.
  await finish(life, () => keys.rotateBucket(newCall(), bucket))
  const began = life.world.clock.now()
  await finish(life, () => objects.deleteBucket(newCall(), bucket))
  assert.deepEqual(keysOf(life, scope), [1, 2])
  await sleepFor(life, quickLimits.readerGraceMs - 1000)
  assert.deepEqual(keysOf(life, scope), [1, 2], 'readers that began before are still at it')
  await until(life, 'all keys are destroyed', async () => keysOf(life, scope).length === 0)
  await until(life, 'it is said', async () => (await finish(life, keys.moves)).length === 0)
  const erasures = await finish(life, () => keys.erasures(newCall(), { limit: 10 }))
  assert.deepEqual(
    erasures.map(({ bucket: name, cause }) => [name, cause]),
    [
      [bucket, 'ended'],
      [bucket, 'rotated'],
    ],
  )
  for (const { destroyedAt } of erasures) assert.ok((destroyedAt as number) >= began + quickLimits.readerGraceMs)
  const [ended] = erasures
  const rest = await finish(life, () => keys.erasures(newCall(), { limit: 10, ...(ended && { after: ended }) }))
  assert.deepEqual(
    rest.map(({ cause }) => cause),
    ['rotated'],
  )
  await finish(life, () => checkKeys(life))
  life.archipelago.close()
})

test('a rotation does not begin in a bucket that is gone by then', async () => {
  const life = await openLife(3)
  const { keys, objects } = life.archipelago.gateway().storage
  await put(life, 'one', 100)
  await remove(life, 'one')
  const outcomes = await finish(life, () =>
    Promise.allSettled([objects.deleteBucket(newCall(), bucket), keys.rotateBucket(newCall(), bucket)]),
  )
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
  assert.ok(
    refused.every((code) => code === 'bucket.missing'),
    refused.join(),
  )
  await until(life, 'no key is left', async () => (await finish(life, keys.moves)).length === 0)
  await finish(life, () => checkKeys(life))
  life.archipelago.close()
})
