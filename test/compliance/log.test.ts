import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openPostgres } from '../../src/host/database/postgres.ts'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import { findPostgres, startPostgres } from '../tools/postgres.ts'
import { logSuite } from './log.suite.ts'

logSuite('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-log-'))
  return {
    open: (schemas) => openSqlite({ file: join(folder, 'test.db'), schemas }),
    close: () => rm(folder, { recursive: true }),
  }
})

if (findPostgres() === undefined) {
  test('log: PostgreSQL', {
    skip: 'PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql',
  }, () => {})
} else {
  logSuite('PostgreSQL', async () => {
    const server = await startPostgres()
    return { open: (schemas) => openPostgres({ url: server.url, schemas }), close: () => server.stop() }
  })
}
