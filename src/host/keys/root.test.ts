import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openTransitServer } from '../../../test/tools/transit-server.ts'
import { systemClock } from '../clock.ts'
import { openRoot } from './open-root.ts'
import { freshRoot, readRootFile, rootOf, writeRootFile } from './root-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'pelago-root-'))
after(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const ports = { clock: systemClock, log: () => {} }
const cheap = { N: 1024, r: 8, p: 1 }
const secret = Buffer.from('the keys of an epoch')

test('a sealed file opens with its passphrase alone, and says which of the two is wrong', () => {
  const keys = [freshRoot(1), freshRoot(2)]
  writeRootFile(at('sealed'), keys, { passphrase: 'tide and moon', cost: cheap })
  assert.deepEqual(
    readRootFile(at('sealed'), 'tide and moon').map(({ id, key }) => [id, Buffer.from(key).toString('hex')]),
    keys.map(({ id, key }) => [id, Buffer.from(key).toString('hex')]),
  )
  assert.throws(() => readRootFile(at('sealed'), 'tide and sun'), { code: 'root.passphrase', message: /is wrong/ })
  assert.throws(() => readRootFile(at('sealed'), undefined), { code: 'root.passphrase', message: /none was given/ })
  const text = readFileSync(at('sealed'), 'utf8')
  for (const { key } of keys) assert.ok(!text.includes(Buffer.from(key).toString('hex')))
  assert.equal(statSync(at('sealed')).mode & 0o077, 0)
  // Parameters are kept with it, within bounds.
  assert.equal(JSON.parse(text).kdf.N, cheap.N)
  writeFileSync(at('greedy'), text.replace('"N": 1024', '"N": 1073741824'))
  assert.throws(() => readRootFile(at('greedy'), 'tide and moon'), { code: 'data.damaged' })
})

test('a file of before root keys had names goes on opening what it wrapped', async () => {
  const key = randomBytes(32)
  writeFileSync(at('old'), `${key.toString('hex')}\n`)
  const root = openRoot(ports, { kind: 'file', file: at('old') })
  const { wrapped } = await root.wrap(secret, 'a')
  assert.deepEqual(Buffer.from(await root.unwrap({ root: '', wrapped }, 'a')), secret)
  await assert.rejects(root.unwrap({ root: '', wrapped }, 'b'), { code: 'key.root' })
})

test('after a rotation the new key wraps and the old one still opens, without a restart', async () => {
  const first = freshRoot(1)
  writeRootFile(at('turned'), [first], undefined)
  let now = 0
  const clock = { ...systemClock, now: () => now }
  const root = openRoot({ clock, log: () => {} }, { kind: 'file', file: at('turned') })
  const before = await root.wrap(secret, 'c')
  const second = freshRoot(2)
  writeRootFile(at('turned'), [first, second], undefined)
  utimesSync(at('turned'), 5, 5)
  now = 5000
  assert.equal(await root.newest(), second.id)
  assert.deepEqual(Buffer.from(await root.unwrap(before, 'c')), secret)
  const rewrapped = await root.rewrap(before, 'c')
  assert.equal(rewrapped.root, second.id)
  await assert.rejects(rootOf([second]).unwrap(before, 'c'), { code: 'key.root' })
  assert.deepEqual(Buffer.from(await rootOf([second]).unwrap(rewrapped, 'c')), secret)
  // A file that cannot be read any more takes nothing away from what runs.
  writeFileSync(at('turned'), '{')
  now = 10_000
  assert.equal(await root.newest(), second.id)
})

test('what a kind needs is asked for by name', () => {
  assert.throws(() => openRoot(ports, { kind: 'pkcs11' }), {
    code: 'root.unbuilt',
    message: /PKCS#11 is not built yet/,
  })
  assert.throws(() => openRoot(ports, { kind: 'transit', url: 'https://v' }), { code: 'root.config' })
  const far = { kind: 'transit' as const, url: 'http://vault.example', tokenFile: at('token'), key: 'k' }
  assert.throws(() => openRoot(ports, far), { code: 'transit.insecure' })
  assert.throws(() => openRoot(ports, { kind: 'file', file: at('x'), passphraseFile: at('nowhere') }), {
    code: 'root.passphrase',
  })
})

test('transit wraps, rotates and rewraps; a seal, a refused token and a retired version are told apart', async (t) => {
  const server = await openTransitServer('transit', ['pelago'])
  t.after(() => server.close())
  server.allow(
    'good',
    ...['encrypt', 'decrypt', 'rewrap'].map((verb) => `POST transit/${verb}/pelago`),
    'GET transit/keys/pelago',
  )
  writeFileSync(at('token'), 'good\n')
  let now = 0
  const clock = { ...systemClock, now: () => now }
  const config = { kind: 'transit' as const, url: server.url, tokenFile: at('token'), key: 'pelago' }
  const root = openRoot({ clock, log: () => {} }, config)
  const first = await root.wrap(secret, 'd')
  assert.equal(first.root, 'v1')
  assert.deepEqual(Buffer.from(await root.unwrap(first, 'd')), secret)
  await assert.rejects(root.unwrap(first, 'e'), { code: 'key.root' })

  server.rotate('pelago')
  now = 60_000
  assert.equal(await root.newest(), 'v2')
  const second = await root.rewrap(first, 'd')
  assert.equal(second.root, 'v2')
  assert.deepEqual(Buffer.from(await root.unwrap(second, 'd')), secret)
  server.setMinDecryptionVersion('pelago', 2)
  await assert.rejects(root.unwrap(first, 'd'), { code: 'key.root' })

  server.seal(true)
  await assert.rejects(root.unwrap(second, 'd'), { code: 'key.unavailable', message: /is sealed/ })
  server.seal(false)
  writeFileSync(at('token'), 'worthless')
  await assert.rejects(root.unwrap(second, 'd'), { code: 'key.unavailable', message: /refuses the token/ })
  writeFileSync(at('token'), 'good')
  assert.deepEqual(Buffer.from(await root.unwrap(second, 'd')), secret)
})
