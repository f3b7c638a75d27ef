/** A real OpenBao, where there is a program `bao`: started for the moment, in memory. The small server stands in elsewhere. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/host/clock.ts'
import { openRoot } from '../../src/host/keys/open-root.ts'

const found = spawnSync('bao', ['version']).status === 0
const skip = found ? false : 'NOT TRIED on a real OpenBao: there is no program `bao` here'

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
}

test('a root key in OpenBao wraps, is rotated, rewraps, and opens nothing that it was told to forget', {
  skip,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-bao-'))
  const url = `http://127.0.0.1:${await freePort()}`
  const token = 'root-of-a-test'
  const words = ['server', '-dev', `-dev-root-token-id=${token}`, `-dev-listen-address=${url.slice('http://'.length)}`]
  const server = spawn('bao', words, { stdio: 'ignore', env: { PATH: process.env.PATH, HOME: folder } })
  t.after(async () => {
    server.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  const ask = async (path: string, body: object, method = 'POST') => {
    const headers = { 'x-vault-token': token }
    const answer = await fetch(`${url}/v1/${path}`, { method, headers, body: JSON.stringify(body) })
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`)
  }
  for (let wait = 0; ; wait++) {
    if ((await fetch(`${url}/v1/sys/health`).catch(() => undefined))?.ok) break
    assert.ok(wait < 150, 'bao does not answer')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  await ask('sys/mounts/transit', { type: 'transit' })
  await ask('transit/keys/pelago', { type: 'aes256-gcm96' })
  await writeFile(join(folder, 'token'), `${token}\n`)

  let now = 0
  const clock = { ...systemClock, now: () => now }
  const config = { kind: 'transit' as const, url, tokenFile: join(folder, 'token'), key: 'pelago' }
  const root = openRoot({ clock, log: () => {} }, config)
  const keys = Buffer.alloc(64, 5)
  const first = await root.wrap(keys, 'pelago epoch a 1')
  assert.deepEqual([first.root, await root.newest()], ['v1', 'v1'])
  assert.deepEqual(Buffer.from(await root.unwrap(first, 'pelago epoch a 1')), keys)
  await assert.rejects(root.unwrap(first, 'pelago epoch b 1'), { code: 'key.root' })
  await ask('transit/keys/pelago/rotate', {})
  now = 60_000
  assert.equal(await root.newest(), 'v2')
  const second = await root.rewrap(first, 'pelago epoch a 1')
  assert.equal(second.root, 'v2')
  assert.deepEqual(Buffer.from(await root.unwrap(second, 'pelago epoch a 1')), keys)
  await ask('transit/keys/pelago/config', { min_decryption_version: 2 })
  await assert.rejects(root.unwrap(first, 'pelago epoch a 1'), { code: 'key.root' })
  await ask('sys/seal', {}, 'PUT')
  await assert.rejects(root.unwrap(second, 'pelago epoch a 1'), { code: 'key.unavailable', message: /sealed/ })
})
