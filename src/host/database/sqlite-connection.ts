import { DatabaseSync } from 'node:sqlite'
import type { Body } from '#kernel'
import { drive, type Outcome, outcomeOf, statementRunner } from './run-body.ts'

/** How many pages the write-ahead log holds, and how many of them are in the database's file as well. */
export type LogPosition = { pages: number; copied: number }

/** The one connection whose statements run here and now. It never waits: neither for a disk's sync nor for a lock. */
export type SqliteConnection = {
  /**
   * Runs bodies in one transaction, each undone alone when it throws, and commits without syncing.
   * @param begun called when nobody else can commit any more, before anything is changed
   * @throws what SQLite says when nothing of the group was committed
   */
  commit(bodies: readonly Body<unknown>[], begun?: () => void): Outcome[]
  /** Runs a body that only reads, on one state of the database; what it writes all the same is not kept. */
  read(body: Body<unknown>): Outcome
  /** Whether anyone else committed since this was asked the last time, as seen by the latest `commit` or `read`. */
  foreign(): boolean
  /** Undefined for a database in memory, which has no log. */
  position(): LogPosition | undefined
  /** Makes the log begin anew; only for one that is wholly copied. */
  restartLog(): void
  /** Copies the log into the database's file, with all syncs that takes. */
  checkpoint(): void
  close(): void
}

/** @param busyMs how long opening may wait for others that have the database open */
export function openConnection(file: string, busyMs: number): SqliteConnection {
  const database = new DatabaseSync(file, { timeout: busyMs })
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON')
  database.exec('PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 0')
  const run = statementRunner(database)
  const begin = database.prepare('BEGIN')
  const beginWrite = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const undo = database.prepare('ROLLBACK')
  const save = database.prepare('SAVEPOINT body')
  const release = database.prepare('RELEASE body')
  const version = database.prepare('PRAGMA data_version')
  const where = database.prepare('PRAGMA wal_checkpoint(NOOP)')
  let known = version.get()?.data_version
  let foreign = false

  const rollBack = () => {
    if (database.isTransaction) undo.run()
  }
  /** Inside the transaction: the number changes with every commit of others that this one can see. */
  const notice = () => {
    const now = version.get()?.data_version
    if (now !== known) foreign = true
    known = now
  }
  const inSavepoint = (body: Body<unknown>): Outcome => {
    save.run()
    try {
      const value = drive(run, body)
      release.run()
      return { value }
    } catch (error) {
      // Some failures, such as a full disk, make SQLite roll back everything; then nothing of the group is left.
      if (!database.isTransaction) throw error
      database.exec('ROLLBACK TO body; RELEASE body')
      return { error }
    }
  }
  return {
    commit(bodies, begun) {
      beginWrite.run()
      try {
        notice()
        begun?.()
        const [only] = bodies
        if (bodies.length === 1 && only) {
          const outcome = outcomeOf(run, only)
          if ('value' in outcome) commit.run()
          else rollBack()
          return [outcome]
        }
        const outcomes = bodies.map(inSavepoint)
        commit.run()
        return outcomes
      } catch (error) {
        rollBack()
        throw error
      }
    },
    read(body) {
      begin.run()
      try {
        const outcome = outcomeOf(run, body)
        notice()
        return outcome
      } finally {
        // Nothing is to be kept, not even what a body writes that should only read.
        rollBack()
      }
    },
    foreign() {
      const was = foreign
      foreign = false
      return was
    },
    position() {
      const row = where.get()
      const pages = Number(row?.log)
      return pages < 0 ? undefined : { pages, copied: Number(row?.checkpointed) }
    },
    restartLog() {
      database.exec('PRAGMA synchronous = OFF')
      try {
        const { user_version: last } = database.prepare('PRAGMA user_version').get() ?? {}
        database.exec(`PRAGMA user_version = ${(Number(last) + 1) & 0x7fffffff}`)
      } finally {
        database.exec('PRAGMA synchronous = NORMAL')
      }
    },
    checkpoint: () => void database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get(),
    close: () => database.close(),
  }
}
