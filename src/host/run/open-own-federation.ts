import { createPrivateKey } from 'node:crypto'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Journal } from '#journal'
import type { Clock, Database, Log, Random } from '#kernel'
import type { SignedDirectory } from '#pool'
import { type Federation, openFederation } from '#roles'
import { type FederationConfig, federationUrlOf } from './configuration.ts'
import { leafMs } from '#trust'
import { openOwnAuthority } from './own-authority.ts'
import type { OwnDatabase } from './own-log.ts'
import { federationSchemas } from './schemas.ts'

/** The federation's database: members, invitations, the directory, and its log. */
export const federationDatabase: OwnDatabase = { file: 'federation.db', schemas: federationSchemas }

/** Opens the federation of a configuration over its database. */
export async function openOwnFederation(
  ports: { clock: Clock; log: Log; random: Random; database: Database; journal: Journal },
  config: FederationConfig,
): Promise<Federation> {
  const kept = join(config.folder, 'directory.json')
  return openFederation(
    {
      ...ports,
      key: createPrivateKey(readFileSync(config.keyFile)),
      authority: await openOwnAuthority(config.folder, ports),
    },
    {
      url: federationUrlOf(config),
      lifeMs: (config.certificateSeconds ?? leafMs / 1000) * 1000,
      members: config.members ?? [],
      before: existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as SignedDirectory) : undefined,
    },
  )
}

/** The log had a database of its own before there were members in one; it goes on in theirs. */
export function moveLogDatabase(folder: string): void {
  const [from, to] = [join(folder, 'log.db'), join(folder, federationDatabase.file)]
  if (!existsSync(from) || existsSync(to)) return
  // What still lies beside it is brought into it first, so that one file holds all.
  const database = new DatabaseSync(from)
  database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE')
  database.close()
  renameSync(from, to)
}
