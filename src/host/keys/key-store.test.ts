import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Clock } from '#kernel'
import { keyMigrations, type KeyStore, openKeyStore, type RootKey, storageError } from '#storage'
import { openSqlite } from '../database/sqlite.ts'
import { openRandom } from '../random.ts'
import { freshRoot, rootOf } from './root-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'pelago-keys-'))
after(() => rmSync(folder, { recursive: true }))
const limits = { keptMs: 600_000, newestMs: 10_000, retryMs: 5000 }
const id = randomBytes(16)

async function openStore(name: string) {
  const database = await openSqlite({
    file: join(folder, `${name}.db`),
    schemas: [{ component: 'keys', migrations: keyMigrations }],
  })
  const state = { now: 0, away: false, asked: 0, keys: [freshRoot(1)] }
  const clock: Clock = { now: () => state.now, after: () => () => {} }
  const through = async <T>(act: (root: RootKey) => Promise<T>): Promise<T> => {
    state.asked++
    if (state.away) throw storageError('key.unavailable', { reason: 'a test' })
    return act(rootOf(state.keys))
  }
  const root: RootKey = {
    newest: () => through((one) => one.newest()),
    wrap: (plain, context) => through((one) => one.wrap(plain, context)),
    unwrap: (from, context) => through((one) => one.unwrap(from, context)),
    rewrap: (from, context) => through((one) => one.rewrap(from, context)),
  }
  const open = () => openKeyStore({ clock, database, random: openRandom(), root, log: () => {} }, limits)
  return { database, state, open }
}
const numbersOf = async (keys: KeyStore, scope: string) => (await keys.epochs(scope)).map(({ epoch }) => epoch)
const soon = () => new Promise((resolve) => setTimeout(resolve, 30))

test('while the root key is away, keys in memory go on for a bounded time; back again, all goes on', async (t) => {
  const { database, state, open } = await openStore('away')
  t.after(() => database.close())
  const keys = open()
  const data = randomBytes(32)
  const wrapped = await keys.wrapData('b', id, data)
  state.away = true
  state.now = 599_000
  assert.deepEqual(Buffer.from(await keys.unwrapData('b', id, wrapped)), data)
  assert.equal((await keys.wrapData('b', id, data)).epoch, 1)
  await soon()
  state.now = 600_000
  await assert.rejects(keys.unwrapData('b', id, wrapped), { code: 'key.unavailable', retryable: true })
  await assert.rejects(keys.wrapData('b', id, data), { code: 'key.unavailable' })
  // One that was just started has nothing in memory.
  await assert.rejects(open().unwrapData('b', id, wrapped), { code: 'key.unavailable' })
  state.away = false
  assert.deepEqual(Buffer.from(await keys.unwrapData('b', id, wrapped)), data)
  assert.deepEqual(Buffer.from(await open().unwrapData('b', id, wrapped)), data)
})

test('keys that are in use are opened again before their time is over, and cost the root key little', async (t) => {
  const { database, state, open } = await openStore('use')
  t.after(() => database.close())
  const keys = open()
  const wrapped = await keys.wrapData('b', id, randomBytes(32))
  const before = state.asked
  for (let minute = 0; minute < 60; minute++) {
    state.now = minute * 60_000
    for (let times = 0; times < 100; times++) await keys.unwrapData('b', id, wrapped)
    await soon()
  }
  assert.ok(state.asked - before >= 10 && state.asked - before <= 13, `${state.asked - before} questions in an hour`)
  state.away = true
  state.now = 4_300_000
  keys.prune()
  await assert.rejects(keys.unwrapData('b', id, wrapped), { code: 'key.unavailable' })
})

test('another gateway takes up a new epoch by itself, and forgets a destroyed one', async (t) => {
  const { database, state, open } = await openStore('epochs')
  t.after(() => database.close())
  const [one, two] = [open(), open()]
  const data = randomBytes(32)
  const old = await two.wrapData('b', id, data)
  assert.equal(await one.beginEpoch('b'), 2)
  assert.equal((await one.wrapData('b', id, data)).epoch, 2)
  assert.deepEqual(Buffer.from(await one.unwrapData('b', id, old)), data)
  state.now += limits.newestMs
  await two.wrapData('b', id, data)
  await soon()
  assert.equal((await two.wrapData('b', id, data)).epoch, 2)
  assert.equal(await one.destroyBelow('b', 2), 1)
  assert.deepEqual(await numbersOf(one, 'b'), [2])
  await assert.rejects(one.unwrapData('b', id, old), { code: 'key.lost' })
  await assert.rejects(open().unwrapData('b', id, old), { code: 'key.lost' })
  state.now += limits.keptMs
  await assert.rejects(two.unwrapData('b', id, old), { code: 'key.lost' })
  // Two who begin at the same time begin the same one, or one after the other; both can be read.
  const numbers = await Promise.all([one.beginEpoch('c'), two.beginEpoch('c')])
  for (const number of numbers) assert.ok((await numbersOf(one, 'c')).includes(number))
})

test('a rotation of the root key can be cut off anywhere: what is wrapped by either is read', async (t) => {
  const { database, state, open } = await openStore('root')
  t.after(() => database.close())
  const keys = open()
  const wrapped = await Promise.all(
    Array.from({ length: 40 }, (_, at) => keys.wrapData(`b${at}`, id, Buffer.alloc(32, at))),
  )
  const readAll = async () => {
    const fresh = open()
    for (const [at, one] of wrapped.entries())
      assert.deepEqual(Buffer.from(await fresh.unwrapData(`b${at}`, id, one)), Buffer.alloc(32, at))
  }
  const [first] = state.keys
  state.keys = [...state.keys, freshRoot(2)]
  await readAll()
  assert.deepEqual(await keys.rewrapRoots(), { moved: 32, more: true })
  await readAll()
  assert.deepEqual(
    (await keys.roots()).counts.map(({ epochs }) => epochs).sort((a, b) => a - b),
    [8, 32],
  )
  assert.deepEqual(await keys.rewrapRoots(), { moved: 8, more: false })
  assert.deepEqual((await keys.roots()).counts, [{ root: state.keys[1]?.id, epochs: 40 }])
  state.keys = state.keys.slice(1)
  await readAll()
  state.keys = [first as (typeof state.keys)[number]]
  await assert.rejects(open().unwrapData('b0', id, wrapped[0] as (typeof wrapped)[number]), { code: 'key.root' })
})
