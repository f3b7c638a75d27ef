import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Database, type Migration, type Row, sql } from '#kernel'
import { indexMigrations, keyMigrations } from '#storage'
import { endpointMigrations } from '#endpoint'
import { workMigrations } from '#work'
import { openPostgres, postgresDialect } from '../../src/host/database/postgres.ts'
import { rollbackLast, type Schema } from '../../src/host/database/schema.store.ts'
import { openSqlite, sqliteDialect } from '../../src/host/database/sqlite.ts'
import { federationSchemas, indexSchemas, keySchemas } from '../../src/host/run/schemas.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../tools/postgres.ts'
import { calls } from './store-calls.ts'
import { answerOf, type Step } from './stores.suite.ts'

const first: Migration = { id: 1, name: 'one', statements: ['CREATE TABLE t (a {int} NOT NULL PRIMARY KEY)'] }
const wider: Migration = {
  ...{ id: 2, name: 'wider', expands: true },
  statements: [`ALTER TABLE t ADD COLUMN b {text} NOT NULL DEFAULT 'x'`],
  down: ['ALTER TABLE t DROP COLUMN b'],
}
const breaking: Migration = { id: 3, name: 'breaking', statements: ['ALTER TABLE t RENAME COLUMN a TO c'] }
const version = (...migrations: Migration[]): Schema[] => [{ component: 'test', migrations }]

function* add(value: number): Step<void> {
  yield sql`INSERT INTO t (a) VALUES (${value})`
}
function* all(): Step<Row[]> {
  return yield sql`SELECT a FROM t ORDER BY a`
}

/** Migrations that end the version before, and why they had to. Another one belongs here only with a reason. */
const endings: Record<string, string> = {
  'index 2': 'a column has another name',
  'index 5': 'who knows no floor would commit under keys that are destroyed afterwards',
  'work 2': 'leases became jobs',
  'journal 2': 'the log has another form',
  'keys 2': 'who knows no names of root keys would open keys with the wrong one',
}

test('each migration lets the version before go on and has a way back, or it is known why not', () => {
  const later = [...indexSchemas, ...keySchemas, ...federationSchemas].flatMap(({ component, migrations }) =>
    migrations.filter(({ id }) => id > 1).map((migration) => ({ component, ...migration })),
  )
  const ending = later.filter(({ expands }) => !expands).map(({ component, id }) => `${component} ${id}`)
  assert.deepEqual([...new Set(ending)].sort(), Object.keys(endings).sort())
  for (const { component, id, expands, down, statements } of later) {
    if (!expands) continue
    assert.ok(down && down.length > 0, `${component} ${id} has no way back`)
    const taking = statements.filter(
      (text) => /^\s*(DROP|DELETE|UPDATE)|RENAME|NOT NULL(?!.*DEFAULT)/i.test(text) && !/^\s*CREATE/i.test(text),
    )
    assert.deepEqual(taking, [], `${component} ${id} says that it only adds`)
  }
})

/** One version forward and one back, while gateways of both run. */
function schemaSuite(title: string, skip: string | false, start: () => Promise<Place>): void {
  describe(`schema: ${title}`, { skip }, () => {
    let place: Place
    before(async () => {
      place = await start()
    })
    after(() => place?.close())
    const during = async <T>(name: string, schemas: Schema[], act: (database: Database) => Promise<T>): Promise<T> => {
      const database = await place.open(name, schemas)
      try {
        return await act(database)
      } finally {
        await database.close()
      }
    }

    test('the version before works on tables that only have more, also while the new one runs', async () => {
      const older = await place.open('rolling', version(first))
      await older.transact(() => add(1))
      const newer = await place.open('rolling', version(first, wider))
      await older.transact(() => add(2))
      await newer.transact(() => add(3))
      await older.close()
      await during('rolling', version(first), (again) => again.transact(() => add(4)))
      assert.deepEqual(
        await newer.read(function* () {
          const rows: Row[] = yield sql`SELECT a, b FROM t ORDER BY a`
          return rows.map(({ a, b }) => String(a) + String(b))
        }),
        ['1x', '2x', '3x', '4x'],
      )
      await newer.close()
    })

    test('one that breaks with what was refuses the version before, and two updates before are refused in any case', async () => {
      await (await place.open('broken', version(first, wider, breaking))).close()
      await assert.rejects(place.open('broken', version(first, wider)), { code: 'database.newer' })
      const third = { ...wider, id: 3, statements: [] }
      const fourth = { ...wider, id: 4, statements: [] }
      await (await place.open('two', version(first))).close()
      // One update may bring several; whoever knows what was there before it goes on.
      await (await place.open('two', version(first, wider, third))).close()
      await (await place.open('two', version(first))).close()
      await (await place.open('two', version(first, wider, third, fourth))).close()
      await (await place.open('two', version(first, wider, third))).close()
      await assert.rejects(place.open('two', version(first)), { code: 'database.newer' })
    })

    test('the last migration is taken back and the data stay; one without a way back is refused', async () => {
      const [schema] = version(first, wider) as [Schema]
      await during('back', [schema], async (database) => {
        await database.transact(() => add(7))
        const state = await database.transact(rollbackLast(schema, place.dialect, 'back'))
        assert.deepEqual(state, { component: 'test', found: 1, known: 2, needs: 1 })
        await assert.rejects(database.transact(rollbackLast(schema, place.dialect, 'back')), { code: 'database.final' })
      })
      await during('back', version(first), async (database) => {
        await database.transact(() => add(8))
        assert.deepEqual(
          (await database.read(all)).map(({ a }) => a),
          [7, 8],
        )
      })
      await during('back', version(first, wider), async (database) => {
        assert.deepEqual(
          (await database.read(all)).map(({ a }) => a),
          [7, 8],
        )
      })
    })

    test('the stores work on tables of the next version, which have a column more; the last migrations can be taken back', async () => {
      const schemas: Schema[] = [
        { component: 'index', migrations: indexMigrations },
        { component: 'work', migrations: workMigrations },
        { component: 'keys', migrations: keyMigrations },
        { component: 'endpoint', migrations: endpointMigrations },
      ]
      const next = schemas.map(({ component, migrations }) => ({
        component,
        migrations: [...migrations, nextOf(migrations)],
      }))
      await (await place.open('next', next)).close()
      await during('next', schemas, (after) =>
        during('now', schemas, async (now) => {
          for (const [at, call] of calls.entries())
            assert.deepEqual(
              await answerOf(after, call),
              await answerOf(now, call),
              `call ${at}, ${call.operation.name}`,
            )
        }),
      )
      const [index] = schemas as [Schema]
      await during('taken', schemas, async (database) => {
        // As far back as there is a way.
        for (const { down } of [...index.migrations].reverse()) {
          if (!down) break
          await database.transact(rollbackLast(index, place.dialect, 'taken'))
        }
      })
      await (await place.open('taken', schemas)).close()
    })
  })
}

/** What the version after this one might do: a column more in every table. */
function nextOf(migrations: readonly Migration[]): Migration {
  const tables = new Set<string>()
  for (const text of migrations.flatMap(({ statements }) => statements)) {
    const [, deed, table = ''] = /^\s*(CREATE|DROP) TABLE (?:IF EXISTS )?(\w+)/.exec(text) ?? []
    if (deed === 'CREATE') tables.add(table)
    else if (deed === 'DROP') tables.delete(table)
  }
  const id = Math.max(...migrations.map((migration) => migration.id)) + 1
  const statements = [...tables].map(
    (table) => `ALTER TABLE ${table} ADD COLUMN of_the_next_version {text} DEFAULT 'more'`,
  )
  return { id, name: 'next', expands: true, statements }
}

type Place = {
  dialect: typeof postgresDialect
  open(name: string, schemas: Schema[]): Promise<Database>
  close(): Promise<unknown>
}

schemaSuite('SQLite', false, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-schema-'))
  return {
    dialect: sqliteDialect,
    open: (name, schemas) => openSqlite({ file: join(folder, `${name}.db`), schemas }),
    close: () => rm(folder, { recursive: true }),
  }
})
const none = findPostgres() === undefined
schemaSuite(
  'PostgreSQL',
  none && 'PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql',
  async () => {
    const server: PostgresServer = await startPostgres()
    return {
      dialect: postgresDialect,
      open: (namespace, schemas) => openPostgres({ url: server.url, namespace, schemas }),
      close: () => server.stop(),
    }
  },
)
