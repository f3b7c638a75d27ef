import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Body, type Database, databaseError, PelagoError, type Row, type Statement } from '#kernel'
import { migrate, type Schema } from './schema.store.ts'

const dialect = { blob: 'BLOB', int: 'INTEGER', text: 'TEXT', clustered: 'WITHOUT ROWID' }

/** Transactions that share one sync at the most, and that may wait for theirs. */
const groupMost = 256
const waitingMost = 20_000
const busyMs = 5000

type Waiting = { body: Body<unknown>; resolve(value: unknown): void; reject(error: unknown): void }

/**
 * Opens a SQLite database: write-ahead log, every commit synced. Bodies that come while a commit runs share the next one;
 * each has a savepoint of its own, so one that throws takes nobody with it. There is no timer: a lone transaction never waits.
 * @param file path, or ':memory:'
 * @throws database.newer
 */
export async function openSqlite({ file, schemas }: { file: string; schemas: readonly Schema[] }): Promise<Database> {
  const connection = new DatabaseSync(file, { timeout: busyMs })
  connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
  connection.exec('PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 2000')
  const run = statementRunner(connection)
  let waiting: Waiting[] = []
  let scheduled = false
  let closed = false

  const commitGroup = () => {
    scheduled = false
    const group = waiting.slice(0, groupMost)
    waiting = waiting.slice(groupMost)
    if (waiting.length > 0) schedule()
    const done: { waiter: Waiting; value: unknown }[] = []
    try {
      connection.exec('BEGIN IMMEDIATE')
      for (const waiter of group) {
        try {
          done.push({ waiter, value: inSavepoint(connection, run, waiter.body) })
        } catch (error) {
          waiter.reject(explain(error))
        }
      }
      connection.exec('COMMIT')
    } catch (error) {
      // Nothing of the group is on the disk: SQLite rolls back what it cannot commit.
      if (connection.isTransaction) connection.exec('ROLLBACK')
      for (const waiter of group) waiter.reject(explain(error))
      return
    }
    for (const { waiter, value } of done) waiter.resolve(value)
  }
  const schedule = () => {
    if (scheduled) return
    scheduled = true
    // After the input that is waiting now: whatever it brings shares this commit.
    setImmediate(commitGroup)
  }

  const database: Database = {
    transact<T>(body: Body<T>): Promise<T> {
      if (closed) return Promise.reject(databaseError('database.closed'))
      if (waiting.length >= waitingMost) {
        return Promise.reject(databaseError('database.busy', { reason: `${waitingMost} transactions wait` }))
      }
      return new Promise<T>((resolve, reject) => {
        waiting.push({ body, resolve: (value) => resolve(value as T), reject })
        schedule()
      })
    },
    async read<T>(body: Body<T>): Promise<T> {
      if (closed) throw databaseError('database.closed')
      try {
        // Bodies run to their end at once, so nothing can change between two statements.
        return drive(run, body)
      } catch (error) {
        throw explain(error)
      }
    },
    async close() {
      if (closed) return
      while (waiting.length > 0) commitGroup()
      closed = true
      connection.close()
    },
  }
  try {
    for (const schema of schemas) await database.transact(migrate(schema, dialect, file))
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

type Run = (statement: Statement) => Row[]

function inSavepoint<T>(connection: DatabaseSync, run: Run, body: Body<T>): T {
  connection.exec('SAVEPOINT body')
  try {
    const value = drive(run, body)
    connection.exec('RELEASE body')
    return value
  } catch (error) {
    connection.exec('ROLLBACK TO body; RELEASE body')
    throw error
  }
}

/** Runs a body to its end, handing each statement's rows back to it. */
function drive<T>(run: Run, body: Body<T>): T {
  const steps = body()
  let step = steps.next()
  while (!step.done) {
    let rows: Row[]
    try {
      rows = run(step.value)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(rows)
  }
  return step.value
}

/** Keeps prepared statements by the identity of their template, of which there are as many as places in the code. */
function statementRunner(connection: DatabaseSync): Run {
  const prepared = new WeakMap<readonly string[], StatementSync>()
  return ({ text, values }) => {
    let statement = prepared.get(text)
    if (!statement) {
      statement = connection.prepare(text.join('?'))
      prepared.set(text, statement)
    }
    return statement.all(...values) as Row[]
  }
}

function explain(error: unknown): unknown {
  if (error instanceof PelagoError || !(error instanceof Error)) return error
  const { errcode } = error as { errcode?: number }
  if (errcode === undefined) return error
  const primary = errcode & 0xff
  const reason = error.message
  // SQLITE_FULL, SQLITE_IOERR (a full disk shows as either), SQLITE_BUSY, SQLITE_LOCKED
  if (primary === 13 || primary === 10) return databaseError('database.full', { reason }, error)
  if (primary === 5 || primary === 6) return databaseError('database.busy', { reason }, error)
  return databaseError('database.failed', { reason }, error)
}
