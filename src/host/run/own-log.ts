import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Journal, journalMigrations, openSealedLog, type SealedLog } from '#journal'
import type { Clock, Database, Log, Random } from '#kernel'
import type { Schema } from '../database/schema.store.ts'
import { openSqlite } from '../database/sqlite.ts'
import { keepPrivate } from '../disk/write-file.ts'
import { openKeptHead } from './kept-head.ts'

/** The database of a role that is no gateway, with its log in it, ready for the roles' own words. */
export type OwnLog = {
  index: Database
  clock: Clock
  log: Log
  journal: Journal
  sealedLog: SealedLog
  close(): Promise<void>
}

const secretBytes = 32

type Ports = { clock: Clock; log: Log; random: Random }

/** What a role keeps in its database: `log.db` with nothing but the log, if not said otherwise. */
export type OwnDatabase = { file: string; schemas: readonly Schema[] }
const onlyLog: OwnDatabase = { file: 'log.db', schemas: [] }

/**
 * Opens the database in a role's folder with the log that is in it; the log's secrets and its last head lie in files beside it.
 * @throws what `openSealedLog` throws
 */
export async function openOwnLog(folder: string, ports: Ports, of = onlyLog): Promise<OwnLog> {
  const { index, journal } = await openOwnDatabase(folder, ports, of)
  const secret = secretsIn(folder, ports.random)
  try {
    const kept = openKeptHead(join(folder, 'log-head'))
    const sealedLog = await openSealedLog({ ...ports, database: index, journal, secret, kept })
    return { ...ports, index, journal, sealedLog, close: () => index.close() }
  } catch (error) {
    await index.close()
    throw error
  }
}

/** The same without the log's seal: what is stated waits in it for whoever opens the log. */
export async function openOwnDatabase(
  folder: string,
  { random }: Pick<Ports, 'random'>,
  { file, schemas }: OwnDatabase,
): Promise<{ index: Database; journal: Journal }> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const all = [{ component: 'journal', migrations: journalMigrations }, ...schemas]
  const index = await openSqlite({ file: join(folder, file), schemas: all })
  return { index, journal: { nameKey: await secretsIn(folder, random)('log names') } }
}

/** Secrets of a log, each in a file of its own, made at the first time. */
function secretsIn(folder: string, random: Random): (name: string) => Promise<Uint8Array> {
  return async (name) => {
    const file = join(folder, 'log-keys', createHash('sha256').update(name).digest('hex').slice(0, 32))
    keepPrivate(file, () => `${Buffer.from(random.bytes(secretBytes)).toString('hex')}\n`)
    return Buffer.from(readFileSync(file, 'utf8').trim(), 'hex')
  }
}
