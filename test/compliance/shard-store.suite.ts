import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ShardStore } from '#storage'

export type ShardStoreUnderTest = {
  store: ShardStore
  /** Stops and starts what is behind the store, in order. */
  restart(): Promise<void>
  close(): Promise<void>
  quotaBytes: number
  /** Shards of 1000 bytes share bundles. */
  bundled: boolean
}

const open = new AbortController().signal
let lastName = 0
const freshName = () => (++lastName).toString(16).padStart(32, 'a')

/** What every shard store must do, whatever is behind it. */
export function shardStoreSuite(title: string, start: () => Promise<ShardStoreUnderTest>): void {
  describe(`shard store: ${title}`, () => {
    let under: ShardStoreUnderTest
    before(async () => {
      under = await start()
    })
    after(() => under.close())
    const put = async (name: string, ...chunks: Uint8Array[]) => {
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
      const writer = under.store.create(name, length, open)
      for (const chunk of chunks) await writer.write(chunk)
      await writer.finish()
    }
    const bytes = (length: number, fill: number) => Buffer.alloc(length, fill)

    test('what was finished is read back, whole and in parts, also after a restart', async () => {
      const name = freshName()
      const whole = Buffer.concat([bytes(100_000, 1), bytes(700_000, 2), bytes(3, 3)])
      await put(name, whole.subarray(0, 99_999), whole.subarray(99_999, 750_000), whole.subarray(750_000))
      const check = async () => {
        assert.deepEqual(Buffer.from(await under.store.read(name, 0, whole.length, open)), whole)
        assert.deepEqual(Buffer.from(await under.store.read(name, 99_998, 4, open)), whole.subarray(99_998, 100_002))
      }
      await check()
      await under.restart()
      await check()
    })

    test('a name is used once: not again while it is there, not again after it was trashed', async () => {
      const name = freshName()
      await put(name, bytes(10, 1))
      await assert.rejects(put(name, bytes(10, 2)), { code: 'shard.exists' })
      assert.deepEqual(Buffer.from(await under.store.read(name, 0, 10, open)), bytes(10, 1))
      await under.store.trash(name, open)
      await assert.rejects(put(name, bytes(10, 3)), { code: 'shard.exists' })
    })

    test('of many who create one name at the same time, one succeeds', async () => {
      const name = freshName()
      const outcomes = await Promise.allSettled(Array.from({ length: 16 }, (_, at) => put(name, bytes(5000, at))))
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.equal((outcome.reason as { code: string }).code, 'shard.exists')
      }
      const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
      assert.deepEqual(Buffer.from(await under.store.read(name, 0, 5000, open)), bytes(5000, winner))
    })

    test('what was given up leaves nothing behind', async () => {
      const before = await under.store.status(open)
      const name = freshName()
      const writer = under.store.create(name, 1000, open)
      await writer.write(bytes(500, 1))
      writer.abort()
      await assert.rejects(under.store.read(name, 0, 1, open), { code: 'shard.missing' })
      let now = await under.store.status(open)
      for (let wait = 0; wait < 100 && now.usedBytes !== before.usedBytes; wait++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        now = await under.store.status(open)
      }
      assert.equal(now.usedBytes, before.usedBytes)
      assert.equal(now.shards, before.shards)
    })

    test('a shard has exactly the length it was begun with', async () => {
      const [short, long] = [freshName(), freshName()]
      const less = under.store.create(short, 10, open)
      await less.write(bytes(9, 1))
      await assert.rejects(less.finish(), { code: 'body.short' })
      const more = under.store.create(long, 10, open)
      await assert.rejects(more.write(bytes(11, 1)), { code: 'body.long' })
      for (const name of [short, long]) {
        await assert.rejects(under.store.read(name, 0, 1, open), { code: 'shard.missing' })
      }
    })

    test('what is missing is said to be; trashing it is no error', async () => {
      const name = freshName()
      await assert.rejects(under.store.read(name, 0, 1, open), { code: 'shard.missing' })
      await under.store.trash(name, open)
      await put(name, bytes(10, 1))
      await assert.rejects(under.store.read(name, 5, 6, open), (error: { code: string }) =>
        ['shard.range', 'shard.corrupt'].includes(error.code),
      )
      await under.store.trash(name, open)
      await assert.rejects(under.store.read(name, 0, 1, open), { code: 'shard.missing' })
    })

    test('names are listed in order, page by page', async () => {
      const names = [freshName(), freshName(), freshName()]
      for (const name of names) await put(name, bytes(1, 1))
      const found: string[] = []
      for (let after = ''; ; ) {
        const page = await under.store.list(after, 2, open)
        found.push(...page)
        if (page.length < 2) break
        after = page[page.length - 1] as string
      }
      assert.deepEqual(found, [...found].sort())
      for (const name of names) assert.ok(found.includes(name))
    })

    test('durability is counted: each finish asks for syncs', async () => {
      const before = await under.store.status(open)
      await put(freshName(), bytes(10, 1))
      const now = await under.store.status(open)
      assert.ok(now.syncs >= before.syncs + (under.bundled ? 1 : 2), 'the bundle, or the file and its directory entry')
      assert.equal(now.shards, before.shards + 1)
    })

    test('many finishes at once are each synced, and share what can be shared', async () => {
      const names = Array.from({ length: 24 }, freshName)
      const writers = names.map((name) => under.store.create(name, 1000, open))
      await Promise.all(writers.map((writer, at) => writer.write(bytes(1000, at))))
      const before = await under.store.status(open)
      await Promise.all(writers.map((writer) => writer.finish()))
      const { syncs } = await under.store.status(open)
      if (under.bundled)
        assert.ok(syncs > before.syncs && syncs - before.syncs < names.length, 'bundles are synced for many')
      // All names begin alike, so they are in one folder.
      else {
        assert.ok(syncs - before.syncs > names.length, `24 files and their folder, not ${syncs - before.syncs}`)
        assert.ok(
          syncs - before.syncs < 2 * names.length,
          `the folder is not synced for each, but ${syncs - before.syncs}`,
        )
      }
      await under.restart()
      for (const [at, name] of names.entries())
        assert.deepEqual(Buffer.from(await under.store.read(name, 0, 1000, open)), bytes(1000, at))
    })

    test('a quota is kept, and said', async () => {
      await assert.rejects(put(freshName(), bytes(under.quotaBytes, 1)), { code: 'shard.full' })
      await put(freshName(), bytes(1, 1))
    })

    test('an abort ends the wait', async () => {
      const stop = new AbortController()
      stop.abort(new Error('enough'))
      await assert.rejects(under.store.read(freshName(), 0, 1, stop.signal))
    })
  })
}
