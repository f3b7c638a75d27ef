export type Value = null | number | string | Uint8Array
export type Row = Record<string, Value>

/** SQL with places for values. `text` is the template's own array, so a driver can keep its prepared statement by identity. */
export type Statement = {
  text: readonly string[]
  values: Value[]
  /** What it finds stays as it is until the transaction ends, where others could change it meanwhile. */
  lock?: 'share'
}

/** The one way to write SQL: values become parameters, never text. */
export function sql(text: TemplateStringsArray, ...values: Value[]): Statement {
  return { text, values }
}

/**
 * A SELECT of one table whose rows stay as they are until the transaction ends. SQLite, where bodies run one after the other,
 * needs nothing for that; PostgreSQL locks the rows, and runs the body again when one has changed since it began.
 */
export function sharing(statement: Statement): Statement {
  return { ...statement, lock: 'share' }
}

/**
 * What a transaction is protected from. SQLite gives all the highest. On PostgreSQL
 * - `serializable`: as if there were no others at that time. What to choose unless an argument stands beside the call;
 * - `snapshot`: one state of the database, and of two that write the same row one is run again. Enough where whatever a body
 *   decides by is also written by it, or read by `sharing`;
 * - `committed`: each statement sees what is committed when it begins. For bodies that take a row first and look afterwards.
 */
export type Isolation = 'serializable' | 'snapshot' | 'committed'

/**
 * The body of a transaction: yields statements, is handed their rows. It may be run again from the start
 * (serialisation failure), so it must change nothing but the database and must not await.
 */
export type Body<T> = () => Generator<Statement, T, Row[]>

/**
 * A database. Every transaction is durable when its promise resolves, and serialisable unless its call says less.
 * On SQLite bodies run one after the other and share one sync; on PostgreSQL they are awaited and re-run on 40001.
 */
export type Database = {
  /** @throws database.uncertain when the commit's outcome is unknown; whatever the body throws, after a roll-back */
  transact<T>(body: Body<T>, isolation?: Isolation): Promise<T>
  /**
   * The same for bodies that only read; sees every transaction that has resolved, and settles with nothing that a crash
   * could take back.
   */
  read<T>(body: Body<T>): Promise<T>
  close(): Promise<void>
}

/**
 * One step of a schema. Types that differ are written `{blob}`, `{int}` (64 bit), `{text}`, `{clustered}` closes a table
 * that is stored in the order of its primary key where the database can, and `{serial}` is a primary key that the database
 * gives: greater than that of every row which was committed before the transaction began.
 */
export type Migration = {
  id: number
  name: string
  statements: string[]
  /**
   * It only adds, with defaults: a program that knows all but this one reads and writes the tables as before, so gateways are
   * updated one after the other. Whatever it makes superfluous goes with a later migration.
   */
  expands?: true
  /** Takes it back without losing what was stored otherwise, so that the program before can be started again. */
  down?: string[]
}
