import { type Body, type Database, databaseError, PelagoError } from '#kernel'
import type { DatabaseMeter } from '../observe/database-metrics.ts'
import { logPages, openCheckpoints } from './checkpoints.ts'
import { openDurableReader } from './durable-reader.ts'
import { type LogFile, type LogSync, openLogFile, openLogSync } from './log-file.ts'
import { migrate, type Schema } from './schema.store.ts'
import type { Outcome } from './run-body.ts'
import { type LogPosition, openConnection, type SqliteConnection } from './sqlite-connection.ts'

export const sqliteDialect = {
  blob: 'BLOB',
  int: 'INTEGER',
  text: 'TEXT',
  clustered: 'WITHOUT ROWID',
  serial: 'INTEGER PRIMARY KEY',
}

/** Transactions that share one sync at the most, and that may wait for theirs. */
const groupMost = 256
const waitingMost = 20_000
/** How long a lock of another process is waited for, and the longest pause between two tries, milliseconds. */
const busyMs = 5000
const pauseMs = 8

type Waiting = { body: Body<unknown>; resolve(value: unknown): void; reject(error: unknown): void }

export type SqliteInput = {
  /** Path, or ':memory:'. */
  file: string
  schemas: readonly Schema[]
  /** How long a lock of another process is waited for, milliseconds. */
  busyMs?: number
  /** How many pages the write-ahead log may hold before it is copied into the database's file. */
  logPages?: number
  openLogFile?: (database: string) => Promise<LogFile>
  meter?: DatabaseMeter
}

/**
 * Opens a SQLite database: statements run on this thread, the disk is waited for elsewhere. A commit goes into the write-ahead
 * log, which is then synced through the thread pool; bodies that come meanwhile share the next commit. There is no timer: a
 * lone transaction waits for its sync only. Until a commit is on the disk, readers are shown what was there before it.
 * @throws database.newer
 */
export async function openSqlite(input: SqliteInput): Promise<Database> {
  const { file, schemas, meter } = input
  const patience = input.busyMs ?? busyMs
  const connection = openConnection(file, patience)
  const log = await openLog(connection, file, input.openLogFile ?? openLogFile)
  const reader = log && openDurableReader(file)
  let waiting: Waiting[] = []
  let working: Promise<void> | undefined
  let closing: Promise<void> | undefined
  let broken: PelagoError | undefined
  /** Where the log was, last time it was looked at. */
  let position: LogPosition | undefined

  /** After a sync that failed nobody can know what is on the disk, and a second one would answer that all is well. */
  const durable = async (sync: Promise<void> | undefined) => {
    try {
      await sync
    } catch (error) {
      broken ??= databaseError('database.unsynced', { reason: reasonOf(error) }, error)
      throw broken
    }
  }
  const hasMoved = () => {
    const before = position
    try {
      position = connection.position()
      return before?.pages !== position?.pages || before?.copied !== position?.copied
    } catch {
      // Not known; one sync too many then. Thrown from here it would look as if nothing had been committed.
      return true
    }
  }
  const restart = async () => {
    try {
      connection.restartLog()
    } catch (error) {
      // Somebody else writes, and so begins the log anew; where not, the next commit does, with a sync of SQLite's own.
      if (!isBusy(error)) throw error
      return
    }
    await durable(log?.sync())
  }
  const checkpoints =
    log && openCheckpoints({ file, busyMs: patience }, input.logPages ?? logPages, { ...connection, restart })

  /** In one step with the commit: in between others could see it and find nothing to wait for. */
  const commitNow = (bodies: readonly Body<unknown>[]) => {
    const outcomes = connection.commit(bodies, log?.owed() === undefined ? reader?.hold : undefined)
    const foreign = connection.foreign()
    // What is held has something in it that somebody else wrote and perhaps never synced.
    if (foreign) reader?.letGo()
    return { outcomes, sync: hasMoved() || foreign ? log?.sync() : log?.owed() }
  }
  const commitGroup = async (group: Waiting[]) => {
    const bodies = group.map(({ body }) => body)
    const began = performance.now()
    const { outcomes, sync } = await patiently(patience, () => commitNow(bodies), meter?.retried)
    // Those for whom there was no time are first in the next group.
    waiting.unshift(...group.splice(outcomes.length))
    try {
      await durable(sync)
    } catch (error) {
      throw databaseError('database.uncertain', { reason: `its sync failed, ${reasonOf(error, true)}` }, error)
    }
    meter?.committed(outcomes.length, began, sync !== undefined)
    // Before anybody is told: what is read from now on must see it.
    reader?.letGo()
    // Errors too are told only now: they may come of what an earlier body of the group wrote.
    for (const [at, { resolve, reject }] of group.entries()) {
      const outcome = outcomes[at] as Outcome
      if ('error' in outcome) reject(explain(outcome.error))
      else resolve(outcome.value)
    }
    if (position) checkpoints?.committed(position)
  }
  const work = async () => {
    while (waiting.length > 0) {
      // After the input that is waiting now: whatever it brings shares this commit.
      await new Promise(setImmediate)
      let group: Waiting[] = []
      try {
        position = connection.position()
        const room = position && checkpoints?.room(position)
        if (room) {
          await room
          position = connection.position()
        }
        if (broken) throw broken
        group = waiting.splice(0, groupMost)
        await commitGroup(group)
      } catch (error) {
        if (group.length === 0) group = waiting.splice(0, groupMost)
        reader?.letGo()
        meter?.failed()
        for (const { reject } of group) reject(explain(error))
      }
    }
    working = undefined
  }
  const refuse = () => {
    if (closing) throw databaseError('database.closed')
    if (broken) throw broken
  }
  const tryRead = (body: Body<unknown>): { outcome: Outcome; sync: Promise<void> | undefined } => {
    refuse()
    if (reader?.holds()) return { outcome: reader.read(body), sync: undefined }
    const outcome = connection.read(body)
    if ('error' in outcome && isBusy(outcome.error)) throw outcome.error
    return { outcome, sync: connection.foreign() ? log?.sync() : log?.owed() }
  }
  /** Without a turn of the loop, as nearly every read goes; undefined where a lock is in the way. */
  const readNow = (body: Body<unknown>) => {
    try {
      return tryRead(body)
    } catch (error) {
      if (!isBusy(error)) throw error
      return undefined
    }
  }

  const database: Database = {
    async transact<T>(body: Body<T>): Promise<T> {
      refuse()
      if (waiting.length >= waitingMost) {
        throw databaseError('database.busy', { reason: `${waitingMost} transactions wait` })
      }
      return new Promise<T>((resolve, reject) => {
        waiting.push({ body, resolve: (value) => resolve(value as T), reject })
        working ??= work()
      })
    },
    async read<T>(body: Body<T>): Promise<T> {
      try {
        const { outcome, sync } = readNow(body) ?? (await patiently(patience, () => tryRead(body)))
        if (sync) await durable(sync)
        if ('error' in outcome) throw outcome.error
        return outcome.value as T
      } catch (error) {
        throw explain(error)
      }
    },
    close() {
      closing ??= (async () => {
        await working
        await checkpoints?.close()
        await log?.close()
        reader?.close()
        connection.close()
      })()
      return closing
    },
  }
  try {
    // What a process that was killed has written may be in the system's memory only: nobody has synced it yet.
    connection.checkpoint()
    await durable(log?.sync())
    for (const schema of schemas) await database.transact(migrate(schema, sqliteDialect, file))
  } catch (error) {
    await database.close()
    throw explain(error)
  }
  return database
}

async function openLog(
  connection: SqliteConnection,
  file: string,
  open: (database: string) => Promise<LogFile>,
): Promise<LogSync | undefined> {
  if (connection.position() === undefined) return undefined
  try {
    return openLogSync(await open(file))
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Another process holds the lock: asks again until it is free or the time is over, and never sleeps on this thread. */
async function patiently<T>(ms: number, act: () => T, again?: () => void): Promise<T> {
  const until = performance.now() + ms
  for (;;) {
    try {
      return act()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= until) throw error
    }
    again?.()
    await new Promise((resolve) => setTimeout(resolve, Math.random() * pauseMs))
  }
}

/** SQLITE_BUSY, SQLITE_LOCKED */
const isBusy = (error: unknown) => [5, 6].includes(((error as { errcode?: number }).errcode ?? 0) & 0xff)

function reasonOf(error: unknown, first = false): string {
  if (!(error instanceof Error)) return String(error)
  return first && error.cause !== undefined ? reasonOf(error.cause) : error.message
}

function explain(error: unknown): unknown {
  if (error instanceof PelagoError || !(error instanceof Error)) return error
  const { errcode } = error as { errcode?: number }
  if (errcode === undefined) return error
  const primary = errcode & 0xff
  const reason = error.message
  // SQLITE_FULL, SQLITE_IOERR (a full disk shows as either)
  if (primary === 13 || primary === 10) return databaseError('database.full', { reason }, error)
  if (isBusy(error)) return databaseError('database.busy', { reason }, error)
  return databaseError('database.failed', { reason }, error)
}
