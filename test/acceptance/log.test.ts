import assert from 'node:assert/strict'
import { copyFile, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { verifyProofFile } from '../tools/log-verifier.ts'
import { startPelago } from './start-pelago.ts'

type Listed = { entries: { sequence: number; entry: { topic: string; actor: string } }[] }

test('acts are logged, proved to a stranger, and a database that was put back is noticed at the start', async () => {
  let pelago = await startPelago()
  try {
    const cli = async (...words: string[]) => {
      const { code, out, err } = await pelago.cli(...words)
      assert.equal(code, 0, `${words.join(' ')}: ${err}${out}`)
      return out
    }
    const topics = async (...words: string[]) =>
      (JSON.parse(await cli('log', 'list', '--json', ...words)) as Listed).entries.map(({ entry }) => entry.topic)
    await cli('bucket', 'create', 'secret-plans')
    assert.deepEqual(await topics('--name', 'secret-plans'), ['bucket.created'])
    const all = await topics()
    for (const topic of ['bucket.created', 'directory.taken', 'role.started']) assert.ok(all.includes(topic), topic)
    const ofFederation = await topics('--of', 'federation')
    assert.deepEqual(
      [ofFederation[0], ofFederation.at(-1), ofFederation.filter((topic) => topic === 'member.joined').length],
      ['directory.signed', 'role.started', 8],
    )
    await cli('provider', 'stop', 'reuss')
    assert.deepEqual(await topics('--of', 'supervisor'), ['role.started', 'provider.stopped'])
    for (const server of ['gateway', 'supervisor', 'federation'])
      assert.match(await cli('log', 'verify', '--of', server), /6 passed, 0 failed/)

    await cli('log', 'rotate')
    const file = join(pelago.data, 'proof.json')
    const { log } = JSON.parse(
      await cli('log', 'prove', String(all.indexOf('bucket.created') + 1), '--to', file, '--json'),
    ) as { log: string }
    const proof = await readFile(file)
    assert.equal(verifyProofFile(proof, log).topic, 'bucket.created')
    assert.doesNotMatch(proof.toString(), /secret-plans/)
    assert.match(await cli('log', 'verify', '--offline', file, '--log', log), /6 passed, 0 failed/)
    assert.equal((await pelago.cli('log', 'verify', '--offline', file, '--log', '0'.repeat(32))).code, 1)

    await pelago.stop()
    const index = join(pelago.data, 'gateway', 'index.db')
    const kept = join(pelago.data, 'gateway', 'log-head-gateway')
    const database = new DatabaseSync(index)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
    await copyFile(index, `${index}.backup`)
    pelago = await startPelago({ data: pelago.data })
    await cli('bucket', 'create', 'after-the-backup')
    await pelago.stop()
    for (const suffix of ['-wal', '-shm']) await rm(index + suffix, { force: true })
    await rename(`${index}.backup`, index)
    const refused = /was put back to an older state.*log-head-gateway\.restored/
    await assert.rejects(startPelago({ data: pelago.data }), refused)

    await rename(kept, `${kept}.restored`)
    pelago = await startPelago({ data: pelago.data })
    assert.ok((await topics()).includes('log.restored'))
    assert.match(await cli('log', 'verify'), /6 passed, 0 failed/)
  } finally {
    await pelago.close()
  }
})
