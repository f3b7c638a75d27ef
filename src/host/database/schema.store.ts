import { type Body, databaseError, type Migration, sql, type Statement } from '#kernel'

/** Tables of one plane. Several may share a database. */
export type Schema = { component: string; migrations: readonly Migration[] }

/** What the places in a migration's text stand for. */
export type Dialect = { blob: string; int: string; text: string; clustered: string; serial: string }

/**
 * Brings a component's tables up to date, in one transaction.
 * @param file said in the error
 * @throws database.newer
 */
export function migrate({ component, migrations }: Schema, dialect: Dialect, file: string): Body<number> {
  return function* () {
    yield plain(
      fill(
        'CREATE TABLE IF NOT EXISTS migrations (component {text} NOT NULL, id {int} NOT NULL, name {text} NOT NULL, PRIMARY KEY (component, id))',
        dialect,
      ),
    )
    const [row] = yield sql`SELECT COALESCE(MAX(id), 0) AS found FROM migrations WHERE component = ${component}`
    const found = Number(row?.found ?? 0)
    const known = migrations.reduce((most, { id }) => Math.max(most, id), 0)
    if (found > known) throw databaseError('database.newer', { file, found, known })
    for (const migration of migrations) {
      if (migration.id <= found) continue
      for (const statement of migration.statements) yield plain(fill(statement, dialect))
      yield sql`INSERT INTO migrations (component, id, name) VALUES (${component}, ${migration.id}, ${migration.name})`
    }
    return known
  }
}

function fill(text: string, dialect: Dialect): string {
  return text.replace(/\{(blob|int|text|clustered|serial)\}/g, (_, name: keyof Dialect) => dialect[name])
}

const plain = (text: string): Statement => ({ text: [text], values: [] })
