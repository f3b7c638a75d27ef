import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { resetDataFolder, takeDataFolder } from './data-folder.ts'

const root = mkdtempSync(join(tmpdir(), 'pelago-folder-'))
after(() => rmSync(root, { recursive: true }))

test('a place where no folder can be is refused at once and in words, whatever the reason', () => {
  writeFileSync(join(root, 'file'), '')
  symlinkSync(join(root, 'nowhere'), join(root, 'dangling'))
  const places = [join(root, 'file'), join(root, 'file', 'below'), join(root, 'dangling'), '/dev/null/x']
  // It exists, and answers that it does not exist when something is to be made in it.
  if (existsSync('/proc/self')) places.push('/proc/pelago', '/proc/pelago/below')
  for (const place of places) assert.throws(() => takeDataFolder(place, 0), { code: 'data.denied' }, place)
})

test('a folder is held by one at a time, kept for the next, and given back', () => {
  const folder = join(root, 'deep', 'data')
  const first = takeDataFolder(folder, 0)
  assert.equal(first.fresh, true)
  assert.throws(() => takeDataFolder(folder, 0), { code: 'data.locked' })
  assert.throws(() => resetDataFolder(folder), { code: 'data.locked' })
  first.release()
  const second = takeDataFolder(folder, 0)
  assert.equal(second.fresh, false)
  second.release()
})

test('what is not ours, or of a newer Pelago, is left alone; a reset wants our own', () => {
  const foreign = mkdtempSync(join(root, 'foreign-'))
  writeFileSync(join(foreign, 'thesis.odt'), 'mine')
  assert.throws(() => takeDataFolder(foreign, 0), { code: 'data.foreign' })
  assert.throws(() => resetDataFolder(foreign), { code: 'data.absent' })
  assert.ok(existsSync(join(foreign, 'thesis.odt')))
  const newer = mkdtempSync(join(root, 'newer-'))
  writeFileSync(join(newer, 'pelago.json'), '{"version":99,"createdAt":0}')
  assert.throws(() => takeDataFolder(newer, 0), { code: 'data.newer' })
})
