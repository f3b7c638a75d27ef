import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Row, type Statement, sql } from '#kernel'
import { openPostgres } from '../../src/host/database/postgres.ts'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import { findPostgres, startPostgres } from '../tools/postgres.ts'
import { databaseSuite } from './database.suite.ts'

databaseSuite('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-db-'))
  return {
    open: (schemas) => openSqlite({ file: join(folder, 'test.db'), schemas }),
    close: () => rm(folder, { recursive: true }),
  }
})

if (findPostgres() === undefined) {
  test('database: PostgreSQL', {
    skip: 'PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql',
  }, () => {})
} else {
  databaseSuite('PostgreSQL', async () => {
    const server = await startPostgres()
    return { open: (schemas) => openPostgres({ url: server.url, schemas }), close: () => server.stop() }
  })
}

test('SQLite: what was acknowledged is there after the database is opened again, and a closed one says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-db-'))
  const schemas = [
    { component: 'test', migrations: [{ id: 1, name: 'one', statements: ['CREATE TABLE t (a {int})'] }] },
  ]
  const first = await openSqlite({ file: join(folder, 'a.db'), schemas })
  await Promise.all(
    [1, 2, 3].map((value) =>
      first.transact(function* () {
        yield sql`INSERT INTO t (a) VALUES (${value})`
      }),
    ),
  )
  await first.close()
  await assert.rejects(
    first.transact(function* () {
      yield sql`SELECT 1`
    }),
    { code: 'database.closed' },
  )
  const second = await openSqlite({ file: join(folder, 'a.db'), schemas })
  const rows = await second.read(function* (): Generator<Statement, Row[], Row[]> {
    return yield sql`SELECT a FROM t ORDER BY a`
  })
  assert.deepEqual(
    rows.map(({ a }) => a),
    [1, 2, 3],
  )
  await second.close()
  await rm(folder, { recursive: true })
})
