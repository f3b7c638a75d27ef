import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openDisk } from './disk.ts'
import { givePages, isPaged, pagedBytes, takePages } from './pages.ts'
import { openPastCache } from './past-cache.ts'

const root = mkdtempSync(join(tmpdir(), 'pelago-disk-'))
after(() => rmSync(root, { recursive: true }))

test('pages, odd pieces and memory of any kind make one file, byte for byte', async () => {
  const disk = openDisk(root)
  const pages = takePages()
  const pieces = [
    pages.subarray(0, pagedBytes),
    pages.subarray(0, 8192),
    Buffer.allocUnsafeSlow(4096),
    pages.subarray(0, 4096),
    Buffer.allocUnsafeSlow(77),
    pages.subarray(4096, 12_288),
    pages.subarray(3, 1000),
  ]
  const file = await disk.create('mixed')
  const expected: Buffer[] = []
  for (const piece of pieces) {
    const bytes = randomBytes(piece.length)
    piece.set(bytes)
    await file.write(piece)
    expected.push(bytes)
  }
  await file.sync()
  await file.close()
  const whole = Buffer.concat(expected)
  assert.ok(whole.equals(readFileSync(join(root, 'mixed'))))

  const opened = await disk.open('mixed')
  assert.ok(opened)
  // Twice: past the cache, and through it.
  for (let times = 0; times < 2; times++) {
    const got = Buffer.alloc(whole.length)
    let at = 0
    for (let read = pagedBytes; read === pagedBytes; at += read) {
      read = await opened.read(at, pages)
      pages.copy(got, at, 0, read)
    }
    assert.equal(at, whole.length)
    assert.ok(got.equals(whole))
    assert.equal(await opened.read(4096, pages.subarray(0, 8192)), 8192)
    assert.ok(pages.subarray(0, 8192).equals(whole.subarray(4096, 12_288)))
  }
  assert.equal(await opened.read(5, pages.subarray(1, 11)), 10)
  assert.ok(pages.subarray(1, 11).equals(whole.subarray(5, 15)))
  await opened.close()
  givePages(pages)
})

test('more uploads than there are pages for gather in memory of their own', () => {
  const taken = Array.from({ length: 70 }, takePages)
  assert.equal(taken.filter(isPaged).length, 64)
  assert.ok(taken.every((buffer) => buffer.length === pagedBytes))
  for (const buffer of taken) givePages(buffer)
  const again = Array.from({ length: 70 }, takePages)
  assert.equal(new Set(again.filter(isPaged)).size, 64)
})

test('what is read again is hot, until much else was read; a file system that refuses is not asked again', async () => {
  const cache = openPastCache()
  assert.deepEqual([cache.isHot('a', 0), cache.isHot('a', 4096), cache.isHot('a', 0)], [false, false, true])
  for (let at = 0; at < 16_384; at++) cache.isHot('b', at)
  assert.equal(cache.isHot('a', 0), false)
  cache.refused()
  assert.equal(await cache.open(join(root, 'mixed'), 0), undefined)
})

test('closing waits for what still runs on a file, so that it cannot run on the next one that is opened', async () => {
  const disk = openDisk(root)
  const bytes = randomBytes(8 * pagedBytes)
  const file = await disk.create('closing')
  const written = file.write(bytes)
  const closed = file.close()
  const next = await disk.create('next')
  await Promise.all([written, closed])
  assert.ok(readFileSync(join(root, 'closing')).equals(bytes))
  assert.equal(readFileSync(join(root, 'next')).length, 0)
  await assert.rejects(file.write(bytes), { code: 'EBADF' })
  await file.close()
  await next.close()
})
