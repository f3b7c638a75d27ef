import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openAtOnce } from './disk-at-once.ts'

test('calls are made here until they wait for the disk, then elsewhere for a second', async () => {
  let now = 0
  const atOnce = openAtOnce(() => now)
  const where = (takesMs: number) =>
    atOnce(
      () => {
        now += takesMs
        return 'here'
      },
      async () => 'apart',
    )
  const seen: string[] = []
  for (const takesMs of [0, 10, 0, 10, 0]) seen.push(await where(takesMs))
  assert.deepEqual(seen, ['here', 'here', 'here', 'here', 'apart'])
  now += 999
  assert.equal(await where(1), 'apart')
  now += 1
  assert.equal(await where(20), 'here')
  assert.equal(await where(0), 'apart')
})

test('what a call throws rejects, and a slow failure counts as slow', async () => {
  let now = 0
  const atOnce = openAtOnce(() => now)
  const fails = () => {
    now += 50
    throw new Error('no room')
  }
  await assert.rejects(
    atOnce(fails, async () => {}),
    /no room/,
  )
  assert.equal(
    await atOnce(
      () => 'here',
      async () => 'apart',
    ),
    'apart',
  )
})
