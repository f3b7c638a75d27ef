import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runDeadSets } from './dead-sets.ts'
import { mutants } from './mutants.ts'
import { runSeed } from './run-seed.ts'
import { runSlowProvider } from './slow-provider.ts'

test('every set of dead providers under several policies: the promise is kept, or the write is refused', async () => {
  const failed = (await runDeadSets()).filter(({ failure }) => failure !== undefined)
  assert.deepEqual(failed, [])
})

test('a provider that is slow or does not answer does not slow reads, and is asked again when it is quick', async () => {
  for (let seed = 1; seed <= 3; seed++) assert.deepEqual(await runSlowProvider(seed), [])
})

test('five lives of an archipelago, each twice with the same trace (npm run sim runs more)', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const { failure } = await runSeed(seed)
    assert.equal(failure, undefined, `seed ${seed}: ${failure}`)
  }
})

test('every planted bug can be planted: its text is in its file exactly once', () => {
  const wrong = mutants.filter(({ file, from, to }) => {
    const text = readFileSync(join(import.meta.dirname, '..', file), 'utf8')
    return text.split(from).length !== 2 || from === to
  })
  assert.deepEqual(wrong, [])
})
