import { DatabaseSync } from 'node:sqlite'
import type { Body } from '#kernel'
import { type Outcome, outcomeOf, statementRunner } from './run-body.ts'

/** A second connection for what is read while a commit is being synced: it goes on showing what was there before. */
export type DurableReader = {
  /** Holds on to the state of now. */
  hold(): void
  holds(): boolean
  /** On the state that is held. */
  read(body: Body<unknown>): Outcome
  letGo(): void
  close(): void
}

export function openDurableReader(file: string): DurableReader {
  const database = new DatabaseSync(file, { timeout: 0 })
  database.exec('PRAGMA query_only = ON; PRAGMA cache_size = -16384')
  const run = statementRunner(database)
  const begin = database.prepare('BEGIN')
  const end = database.prepare('ROLLBACK')
  // SQLite takes the state with the first thing that is read.
  const take = database.prepare('PRAGMA data_version')
  const reader: DurableReader = {
    hold() {
      begin.run()
      take.get()
    },
    holds: () => database.isTransaction,
    read: (body) => outcomeOf(run, body),
    letGo() {
      if (database.isTransaction) end.run()
    },
    close: () => database.close(),
  }
  return reader
}
