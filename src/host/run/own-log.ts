import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Journal, journalMigrations, openSealedLog, type SealedLog } from '#journal'
import type { Clock, Database, Log, Random } from '#kernel'
import { openSqlite } from '../database/sqlite.ts'
import { keepPrivate } from '../disk/write-file.ts'
import { openKeptHead } from './kept-head.ts'

/** The log of a role that has no other database, ready for the roles' own words. */
export type OwnLog = {
  index: Database
  clock: Clock
  log: Log
  journal: Journal
  sealedLog: SealedLog
  close(): Promise<void>
}

const secretBytes = 32

/**
 * Opens the log in a role's folder: `log.db`, with its secrets and its last head in files beside it.
 * @throws what `openSealedLog` throws
 */
export async function openOwnLog(folder: string, ports: { clock: Clock; log: Log; random: Random }): Promise<OwnLog> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const index = await openSqlite({
    file: join(folder, 'log.db'),
    schemas: [{ component: 'journal', migrations: journalMigrations }],
  })
  const secret = async (name: string) => {
    const file = join(folder, 'log-keys', createHash('sha256').update(name).digest('hex').slice(0, 32))
    keepPrivate(file, () => `${Buffer.from(ports.random.bytes(secretBytes)).toString('hex')}\n`)
    return Buffer.from(readFileSync(file, 'utf8').trim(), 'hex')
  }
  try {
    const journal = { nameKey: await secret('log names') }
    const kept = openKeptHead(join(folder, 'log-head'))
    const sealedLog = await openSealedLog({ ...ports, database: index, journal, secret, kept })
    return { ...ports, index, journal, sealedLog, close: () => index.close() }
  } catch (error) {
    await index.close()
    throw error
  }
}
