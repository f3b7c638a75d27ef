import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openArchipelago } from './archipelago.ts'
import { newCall, finish, type Life } from './life.ts'
import { openModel } from './model.ts'
import { openWorld } from './world.ts'

test('when every disk is full, a write is refused for want of room, and nothing is left over in memory', async () => {
  const world = openWorld(3)
  const archipelago = await openArchipelago(world)
  const none = {
    bad: [],
    wide: false,
    lasting: false,
    damaged: new Set<string>(),
    problems: [],
    nextId: 1,
    phase: -1,
  }
  const life: Life = { world, archipelago, model: openModel(), ...none }
  const { objects, memoryUsed } = archipelago.gateway().storage
  await finish(life, () => objects.createBucket(newCall(), { name: 'b' }))
  for (const { disk } of archipelago.providers) disk.faults.capacityBytes = 1000
  const chunks = (async function* () {
    yield new Uint8Array(60_000)
  })()
  const body = { size: 60_000, chunks, finish: () => undefined }
  const put = () => objects.putObject(newCall(), { bucket: 'b', key: 'k', headers: {}, condition: {}, body })
  await assert.rejects(finish(life, put), { code: 'pool.full' })
  assert.equal(memoryUsed(), 0)
  archipelago.close()
})
