import { mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Database, type Row, type Statement } from '#kernel'
import { defaultPolicy } from '#pool'
import { indexMigrations } from '#storage'
import { openSqlite } from '../src/host/database/sqlite.ts'
import { insertBucket } from '../src/storage/index/buckets.store.ts'
import { putObjectRow, type StoredObject } from '../src/storage/index/objects.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

export const tenant = 'bench'
export const bucket = { name: 'bench', id: 'b'.repeat(32) }
const perPrefix = 1000

/** An index with many objects, opened as a gateway opens it. */
export type FullIndex = { objects: number; database: Database; keyOf(at: number): string }

/** Key number `at` of an index, in the order of the keys: thousands under each of as many prefixes as it takes. */
export function keyOf(at: number): string {
  const digits = (value: number) => String(value).padStart(5, '0')
  return `p${digits(Math.floor(at / perPrefix))}/k${digits(at % perPrefix)}`
}

const objectBytes = 4096
/** Objects of a pack; names of packs ascend. */
const perPack = 32
const packOf = (n: string) => `printf('%032x', ${n} / ${perPack})`

export function objectOf(key: string, version: string): StoredObject {
  const headers = { 'content-type': 'application/octet-stream' }
  const keys = { epoch: 1, dataKey: Buffer.alloc(48, 1), commitment: Buffer.alloc(32, 2) }
  const packed = { pack: version, slot: 0, shard: 1, start: 0, ...keys }
  return { key, version, size: objectBytes, etag: version, modifiedAt: 1.7e12, headers, multipart: false, packed }
}

/**
 * Makes an index of so many objects. The first is put by the product; all others are copies of its row under other keys, in
 * one statement and without syncs, so that ten million take a minute.
 * @param folder a place for its files
 */
export async function fillIndex(folder: string, objects: number): Promise<FullIndex> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'index.db')
  const schemas = [{ component: 'index', migrations: indexMigrations }]
  const empty = await openSqlite({ file, schemas })
  await empty.transact(function* (): Step<void> {
    yield* insertBucket({
      ...bucket,
      tenant,
      createdAt: 0,
      policy: defaultPolicy,
      policyEpoch: 1,
      etags: 'md5',
      revision: 1,
      keyFloor: 0,
      quotas: 0,
    })
    yield* putObjectRow(bucket.id, objectOf(keyOf(0), '0'.repeat(32)), undefined, 0)
  })
  await empty.close()
  const raw = new DatabaseSync(file)
  raw.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144')
  const columns = raw.prepare('SELECT name FROM pragma_table_info(?)').all('objects')
  const names = columns.map(({ name }) => name as string)
  const values = names.map((name) => {
    if (name === 'key') return `CAST(printf('p%05d/k%05d', n / ${perPrefix}, n % ${perPrefix}) AS BLOB)`
    if (name === 'pack') return packOf('n')
    if (name === 'slot') return `n % ${perPack}`
    return name === 'version' ? `lower(hex(randomblob(16)))` : `t.${name}`
  })
  raw
    .prepare(
      `WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < ?)
      INSERT INTO objects (${names.join(', ')}) SELECT ${values.join(', ')} FROM series, (SELECT * FROM objects LIMIT 1) t`,
    )
    .run(objects)
  raw.exec(
    `DELETE FROM packed; INSERT INTO packed (pack, slot, bucket, key) SELECT pack, slot, bucket, key FROM objects ORDER BY pack, slot`,
  )
  raw
    .prepare(
      `WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + ${perPack} FROM series WHERE n + ${perPack} < ?)
      INSERT INTO packs (id, class, bytes, live) SELECT ${packOf('n')}, 'class', ${perPack * objectBytes}, ${perPack * objectBytes} FROM series`,
    )
    .run(objects)
  raw.close()
  // Or the system would go on writing it while others are measured.
  const handle = await open(file, 'r')
  await handle.sync()
  await handle.close()
  return { objects, database: await openSqlite({ file, schemas }), keyOf }
}
