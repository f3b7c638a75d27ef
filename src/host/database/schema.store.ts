import { type Body, databaseError, type Migration, type Row, sql, type Statement } from '#kernel'

/** Tables of one plane. Several may share a database. */
export type Schema = { component: string; migrations: readonly Migration[] }

/** What the places in a migration's text stand for. */
export type Dialect = { blob: string; int: string; text: string; clustered: string; serial: string }

/**
 * Where a component's tables stand. `found`: the last migration they have; `known`: the last that this program knows;
 * `needs`: the least that a program must know to work on them.
 */
export type SchemaState = { component: string; found: number; known: number; needs: number }

type Step<T> = Generator<Statement, T, Row[]>

/**
 * Brings a component's tables up to date, in one transaction. Tables of a newer program are left as they are: this one works
 * on them too if they only have more than it knows.
 * @param file said in the error
 * @throws database.newer
 */
export function migrate(schema: Schema, dialect: Dialect, file: string): Body<number> {
  return function* () {
    yield* prepareTables(dialect)
    const { component, migrations } = schema
    const { found, known, needs } = yield* stateOf(schema)
    if (known < needs) throw databaseError('database.newer', { file, found, known })
    // All that one update brings counts as one step: the version before knows none of it.
    let least = found
    for (const { id, name, statements, expands } of migrations) {
      if (id <= found) continue
      if (!expands) least = id
      for (const statement of statements) yield plain(fill(statement, dialect))
      yield sql`INSERT INTO migrations (component, id, name) VALUES (${component}, ${id}, ${name})`
      yield sql`INSERT INTO migration_needs (component, id, needs) VALUES (${component}, ${id}, ${least})`
    }
    return Math.max(found, known)
  }
}

/** Where the tables stand; nothing is changed but the tables that say so. */
export function schemaState(schema: Schema, dialect: Dialect): Body<SchemaState> {
  return function* () {
    yield* prepareTables(dialect)
    return yield* stateOf(schema)
  }
}

/**
 * Takes a component's last migration back, so that the program before this one can be started again.
 * @throws database.newer when the last one is of a newer program, database.final when there is no way back
 */
export function rollbackLast(schema: Schema, dialect: Dialect, file: string): Body<SchemaState> {
  return function* () {
    yield* prepareTables(dialect)
    const { component, migrations } = schema
    const { found, known } = yield* stateOf(schema)
    if (found > known) throw databaseError('database.newer', { file, found, known })
    const last = migrations.find(({ id }) => id === found)
    if (!last?.down) throw databaseError('database.final', { component, found, name: last?.name ?? '' })
    for (const statement of last.down) yield plain(fill(statement, dialect))
    yield sql`DELETE FROM migrations WHERE component = ${component} AND id = ${found}`
    yield sql`DELETE FROM migration_needs WHERE component = ${component} AND id = ${found}`
    return yield* stateOf(schema)
  }
}

function* prepareTables(dialect: Dialect): Step<void> {
  const key = 'component {text} NOT NULL, id {int} NOT NULL'
  const tables = [
    `CREATE TABLE IF NOT EXISTS migrations (${key}, name {text} NOT NULL, PRIMARY KEY (component, id))`,
    // Beside the other, which older programs have made. What is not in it needs a program that knows it.
    `CREATE TABLE IF NOT EXISTS migration_needs (${key}, needs {int} NOT NULL, PRIMARY KEY (component, id))`,
  ]
  for (const table of tables) yield plain(fill(table, dialect))
}

function* stateOf({ component, migrations }: Schema): Step<SchemaState> {
  const rows = yield sql`SELECT m.id, n.needs FROM migrations m
    LEFT JOIN migration_needs n ON n.component = m.component AND n.id = m.id WHERE m.component = ${component}`
  const known = migrations.reduce((most, { id }) => Math.max(most, id), 0)
  const found = rows.reduce((most, { id }) => Math.max(most, Number(id)), 0)
  const needs = rows.reduce((most, { id, needs: least }) => Math.max(most, Number(least ?? id)), 0)
  return { component, found, known, needs }
}

function fill(text: string, dialect: Dialect): string {
  return text.replace(/\{(blob|int|text|clustered|serial)\}/g, (_, name: keyof Dialect) => dialect[name])
}

const plain = (text: string): Statement => ({ text: [text], values: [] })
