import { join } from 'node:path'
import type { Database } from '#kernel'
import { hostError } from '../errors.ts'
import { openPostgres } from '../database/postgres.ts'
import { databaseOf, type PostgresConfig, postgresAddress } from '../database/postgres-address.ts'
import type { Schema } from '../database/schema.store.ts'
import { openSqlite } from '../database/sqlite.ts'
import type { DatabaseMeter } from '../observe/database-metrics.ts'

export type DatabasesConfig = {
  folder: string
  index?: PostgresConfig
  keys?: PostgresConfig
}

/** The object index: the PostgreSQL database that is named, or a SQLite file in the gateway's folder. */
export function openIndex(
  { folder, index }: DatabasesConfig,
  schemas: readonly Schema[],
  meter?: DatabaseMeter,
): Promise<Database> {
  const metered = { schemas, ...(meter && { meter }) }
  if (index) return openPostgres({ ...postgresAddress(index), ...metered })
  return openSqlite({ file: join(folder, 'index.db'), ...metered })
}

/**
 * The key store: a file in the gateway's folder, or a PostgreSQL database of its own for gateways on several machines. Never
 * the index's: whoever has a backup of the index must not be able to open anything, and an epoch key that is destroyed must
 * not live on in such a backup.
 * @throws keys.beside
 */
export function openKeys(
  { folder, index, keys }: DatabasesConfig,
  schemas: readonly Schema[],
  meter?: DatabaseMeter,
): Promise<Database> {
  const metered = { schemas, ...(meter && { meter }) }
  if (!keys) return openSqlite({ file: join(folder, 'keys.db'), ...metered })
  const address = postgresAddress(keys)
  if (index && databaseOf(postgresAddress(index)) === databaseOf(address))
    throw hostError('keys.beside', { database: databaseOf(address) })
  return openPostgres({ ...address, ...metered, connections: 4 })
}
