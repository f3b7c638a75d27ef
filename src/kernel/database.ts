export type Value = null | number | string | Uint8Array
export type Row = Record<string, Value>

/** SQL with places for values. `text` is the template's own array, so a driver can keep its prepared statement by identity. */
export type Statement = { text: readonly string[]; values: Value[] }

/** The one way to write SQL: values become parameters, never text. */
export function sql(text: TemplateStringsArray, ...values: Value[]): Statement {
  return { text, values }
}

/**
 * The body of a transaction: yields statements, is handed their rows. It may be run again from the start
 * (serialisation failure), so it must change nothing but the database and must not await.
 */
export type Body<T> = () => Generator<Statement, T, Row[]>

/**
 * A database. Every transaction is serialisable and durable when its promise resolves.
 * On SQLite bodies run one after the other and share one sync; on PostgreSQL they are awaited and re-run on 40001.
 */
export type Database = {
  /** @throws database.uncertain when the commit's outcome is unknown; whatever the body throws, after a roll-back */
  transact<T>(body: Body<T>): Promise<T>
  /**
   * The same for bodies that only read; sees every transaction that has resolved, and settles with nothing that a crash
   * could take back.
   */
  read<T>(body: Body<T>): Promise<T>
  close(): Promise<void>
}

/**
 * One step of a schema. Types that differ are written `{blob}`, `{int}` (64 bit), `{text}`, and `{clustered}` closes a table
 * that is stored in the order of its primary key where the database can.
 */
export type Migration = { id: number; name: string; statements: string[] }
