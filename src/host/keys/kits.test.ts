import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Call, Clock, Database } from '#kernel'
import { openKits, storageError } from '#storage'
import { openSqlite } from '../database/sqlite.ts'
import { indexSchemas } from '../run/schemas.ts'

const folder = mkdtempSync(join(tmpdir(), 'pelago-kits-'))
let database: Database
before(async () => {
  database = await openSqlite({ file: join(folder, 'index.db'), schemas: indexSchemas })
})
after(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

const call: Call = { actor: 'ada', tenant: 'acme', signal: new AbortController().signal, trace: 't' }
const now = { gateway: 'gateway', gatewayKey: '1'.repeat(64), anchor: '2'.repeat(64), required: true }
const state = { now: 1000, root: 'r1', away: false }
const clock: Clock = { now: () => state.now, after: () => () => {} }
const root = {
  newest: async () => {
    if (state.away) throw storageError('key.unavailable', { reason: 'a test' })
    return state.root
  },
}
const open = (facts = now) => openKits({ clock, database, journal: { nameKey: Buffer.alloc(32, 7) }, root }, facts)
const looks = async (facts = now) => {
  state.now += 10_000
  const { state: is, light, changed } = await open(facts).status()
  return [is, light, changed.join()]
}

test('red until two files were shown to open it, and again when the root key is another one', async () => {
  const kits = open()
  assert.deepEqual(await looks(), ['missing', 'red', ''])
  assert.deepEqual(await looks({ ...now, required: false }), ['exempt', 'green', ''])
  await assert.rejects(kits.check(), { code: 'kit.untested', message: /missing/ })
  await open({ ...now, required: false }).check()

  const found = randomBytes(32)
  const proof = createHash('sha256').update(found).digest('hex')
  const id = randomBytes(16).toString('hex')
  const kit = { id, root: 'r1', gatewayKey: now.gatewayKey, anchor: now.anchor, proof, madeAt: 1000 }
  await kits.register(call, kit)
  await kits.register(call, kit)
  assert.deepEqual(await looks(), ['untested', 'red', ''])
  await assert.rejects(kits.prove(call, id, randomBytes(32)), { code: 'kit.unproved' })
  await assert.rejects(kits.prove(call, 'f'.repeat(32), found), { code: 'kit.unknown' })
  assert.deepEqual(await looks(), ['untested', 'red', ''])
  await kits.prove(call, id, found)
  assert.deepEqual(await looks(), ['tested', 'green', ''])
  await kits.check()

  assert.deepEqual(await looks({ ...now, gatewayKey: '3'.repeat(64) }), ['stale', 'yellow', 'gateway'])
  assert.deepEqual(await looks({ ...now, gateway: 'gateway-2', gatewayKey: '3'.repeat(64) }), ['tested', 'green', ''])
  assert.deepEqual(await looks({ ...now, anchor: '4'.repeat(64) }), ['stale', 'yellow', 'anchor'])
  state.root = 'r2'
  assert.deepEqual(await looks(), ['stale', 'red', 'root'])
  assert.deepEqual(await looks({ ...now, required: false }), ['stale', 'yellow', 'root'])
  state.now += 10_000
  await assert.rejects(kits.check(), { code: 'kit.untested', message: /stale/ })

  // While the root key is away nobody knows whether it is another one.
  state.away = true
  assert.deepEqual(await looks(), ['tested', 'green', ''])
  state.away = false
  await kits.register(call, { ...kit, id: 'e'.repeat(32), root: 'r2', madeAt: 2000 })
  assert.deepEqual(await looks(), ['stale', 'red', 'root'])
  await kits.prove(call, 'e'.repeat(32), found)
  assert.deepEqual(await looks(), ['tested', 'green', ''])
  assert.equal((await kits.discard(call, id)).kits.length, 1)
  await assert.rejects(kits.prove(call, id, found), { code: 'kit.unknown' })
  await assert.rejects(kits.discard(call, 'd'.repeat(32)), { code: 'kit.unknown' })
})
