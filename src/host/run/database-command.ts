import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Body, Database } from '#kernel'
import { postgresDialect } from '../database/postgres.ts'
import { migrate, rollbackLast, type Schema, type SchemaState, schemaState } from '../database/schema.store.ts'
import { sqliteDialect } from '../database/sqlite.ts'
import { hostError } from '../errors.ts'
import { gatewayConfig, readConfig } from './configuration.ts'
import { openIndex, openKeys } from './open-databases.ts'
import { indexSchemas, keySchemas } from './schemas.ts'

export type DatabaseState = SchemaState & { store: 'index' | 'keys' }

/**
 * Looks at the tables of a gateway's databases, brings them up to date, or takes a component's last migration back. For
 * whoever updates: no gateway needs to run.
 * @param component of which the last migration is taken back
 * @throws database.newer, database.final, database.component, file.missing
 */
export async function databaseCommand(
  action: 'status' | 'migrate' | 'rollback',
  input: { config: string; component?: string },
): Promise<DatabaseState[]> {
  const config = readConfig(input.config, gatewayConfig)
  const kinds = [
    { store: 'index' as const, schemas: indexSchemas, open: openIndex, shared: config.index },
    { store: 'keys' as const, schemas: keySchemas, open: openKeys, shared: config.keys },
  ]
  const known = kinds.flatMap(({ schemas }) => schemas.map(({ component }) => component))
  if (action === 'rollback' && !known.includes(input.component ?? ''))
    throw hostError('database.component', { component: input.component ?? '', known: known.join(', ') })
  const states: DatabaseState[] = []
  for (const { store, schemas, open, shared } of kinds) {
    const file = join(config.folder, `${store}.db`)
    // To look must not make anything.
    if (!shared && !existsSync(file)) throw hostError('file.missing', { file })
    const database = await open(config, [])
    try {
      const dialect = shared ? postgresDialect : sqliteDialect
      for (const schema of schemas) {
        const body = bodyOf(action, schema, input.component)
        states.push({ store, ...(await body(database, dialect, store)) })
      }
    } finally {
      await database.close()
    }
  }
  return states
}

type Act = (database: Database, dialect: typeof postgresDialect, file: string) => Promise<SchemaState>

function bodyOf(action: 'status' | 'migrate' | 'rollback', schema: Schema, component: string | undefined): Act {
  const look: Act = (database, dialect) => database.transact(schemaState(schema, dialect))
  if (action === 'status' || (action === 'rollback' && schema.component !== component)) return look
  if (action === 'rollback') return (database, dialect, file) => database.transact(rollbackLast(schema, dialect, file))
  return async (database, dialect, file) => {
    const bring: Body<number> = migrate(schema, dialect, file)
    await database.transact(bring)
    return look(database, dialect, file)
  }
}
