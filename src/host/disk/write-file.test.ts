import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { savePrivate, savePrivateJson, writePrivate, writePrivateJson } from './write-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'pelago-write-'))
after(() => rmSync(folder, { recursive: true }))

test('a private file is whole, for its user alone, and leaves nothing beside it, whoever waits for the disk', async () => {
  const file = join(folder, 'inner', 'secret')
  for (const write of [writePrivate, savePrivate]) {
    for (const content of ['first', 'second, and longer', '']) {
      await write(file, content)
      assert.equal(readFileSync(file, 'utf8'), content)
      assert.equal(statSync(file).mode & 0o777, 0o600)
      assert.deepEqual(readdirSync(join(folder, 'inner')), ['secret'])
    }
  }
  assert.equal(statSync(join(folder, 'inner')).mode & 0o777, 0o700)
})

test('both ways write the same JSON', async () => {
  const [one, other] = [join(folder, 'one'), join(folder, 'other')]
  writePrivateJson(one, { a: [1] })
  await savePrivateJson(other, { a: [1] })
  assert.equal(readFileSync(other, 'utf8'), readFileSync(one, 'utf8'))
  assert.deepEqual(JSON.parse(readFileSync(one, 'utf8')), { a: [1] })
})

test('what cannot be written is an error, and what was there stays', async () => {
  await savePrivate(join(folder, 'kept'), 'kept')
  await assert.rejects(savePrivate(join(folder, 'kept', 'below'), 'x'), { code: /ENOTDIR|EEXIST/ })
  assert.equal(readFileSync(join(folder, 'kept'), 'utf8'), 'kept')
})
