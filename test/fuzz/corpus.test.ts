import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { readCorpus } from './main.ts'
import { mutate, openDice } from './mutate.ts'
import { targets } from './targets.ts'

const bent = 200
const bentSlowly = 15

after(async () => {
  for (const { close } of targets) await close?.()
})

test('what fuzzing found once is not found again', async () => {
  const corpus = readCorpus()
  const known = new Set(targets.map(({ name }) => name))
  assert.deepEqual(
    Object.keys(corpus).filter((name) => !known.has(name)),
    [],
  )
  const dice = openDice(1)
  for (const { name, seeds, words, run, slow } of targets) {
    const inputs = [...seeds, ...(corpus[name] ?? [])].map((text, at) =>
      Buffer.from(text, at < seeds.length ? 'latin1' : 'base64'),
    )
    for (const input of inputs) await run(input)
    for (let at = 0; at < (slow ? bentSlowly : bent); at++) await run(mutate(dice, inputs, words))
  }
})

test('a parser that throws what is not ours, or believes what it should not, is noticed', async () => {
  const head = targets.find(({ name }) => name === 'shard-signature')
  // The right signature of a request that nobody was to be able to sign.
  const { signShardRequest } = await import('#storage')
  const request = {
    method: 'GET',
    target: '/x',
    length: 0,
    expires: Date.UTC(2026, 0, 1) + 1000,
    nonce: '0'.repeat(32),
    gateway: 'g',
  }
  const signature = signShardRequest(Buffer.alloc(32, 1), request)
  const { method, target, length, expires, nonce, gateway } = request
  const input = Buffer.from([method, target, length, expires, nonce, gateway, signature].join(' '))
  assert.throws(() => head?.run(input), /a request that nobody signed was taken/)
})
