import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareUtf8, type Row, type Statement } from '#kernel'
import { openSqlite } from '../../host/database/sqlite.ts'
import { insertBucket } from '../index/buckets.store.ts'
import { indexMigrations } from '../index/migrations.ts'
import { putObjectRow } from '../index/objects.store.ts'
import { defaultPolicy } from '#pool'
import { listObjects, rollUp, successor } from './list-objects.ts'

/** What a listing is, said without any cleverness. */
function naive(keys: readonly string[], prefix: string, delimiter: string): string[] {
  const entries = [...keys].filter((key) => key.startsWith(prefix)).map((key) => rollUp(key, prefix, delimiter) ?? key)
  return [...new Set(entries)].sort(compareUtf8)
}

function* fill(keys: readonly string[]): Generator<Statement, void, Row[]> {
  const bucket = {
    id: 'b',
    name: 'bucket',
    tenant: 't',
    createdAt: 0,
    policy: defaultPolicy,
    policyEpoch: 1,
    etags: 'md5' as const,
    revision: 1,
    keyFloor: 0,
    quotas: 0,
  }
  yield* insertBucket(bucket)
  for (const key of keys) {
    const object = { key, version: key, size: 1, etag: '', modifiedAt: 0, headers: {}, multipart: false }
    yield* putObjectRow('b', object, undefined, 0)
  }
}

const letter = fc.constantFrom('a', 'b', '/', '//', '!', '~', 'é', '😀', '\u{10ffff}', 'ÿ')
const keysOf = fc.uniqueArray(
  fc.array(letter, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
  { maxLength: 25 },
)

test('whatever the keys, prefix, delimiter and page size: page after page gives what a naive listing gives, in byte order', async () => {
  await fc.assert(
    fc.asyncProperty(
      keysOf,
      fc.constantFrom('', 'a', 'a/', 'é', '/'),
      fc.constantFrom('', '/', '//', 'b'),
      fc.integer({ min: 1, max: 7 }),
      async (keys, prefix, delimiter, limit) => {
        const database = await openSqlite({
          file: ':memory:',
          schemas: [{ component: 'index', migrations: indexMigrations }],
        })
        await database.transact(() => fill(keys))
        const found: string[] = []
        let after = ''
        for (let page = 0; page <= keys.length; page++) {
          const input = { bucket: 'bucket', prefix, delimiter, after, limit }
          const { entries, next } = await database.read(() => listObjects('t', input))
          assert.ok(entries.length <= limit)
          found.push(...entries.map((entry) => (entry.kind === 'object' ? entry.info.key : entry.prefix)))
          if (next === undefined) break
          after = next
        }
        await database.close()
        assert.deepEqual(found, naive(keys, prefix, delimiter))
      },
    ),
    { numRuns: 120 },
  )
})

test('the successor of a prefix is behind all that begins with it', () => {
  assert.deepEqual(successor(Uint8Array.of(1, 2)), Uint8Array.of(1, 3))
  assert.deepEqual(successor(Uint8Array.of(1, 255, 255)), Uint8Array.of(2))
  assert.equal(successor(Uint8Array.of(255)), undefined)
  assert.equal(successor(new Uint8Array(0)), undefined)
})
