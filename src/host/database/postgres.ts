import pg from 'pg'
import { type Body, type Database, databaseError, PelagoError, type Row, type Statement } from '#kernel'
import { migrate, type Schema } from './schema.store.ts'

const dialect = { blob: 'BYTEA', int: 'BIGINT', text: 'TEXT', clustered: '' }
const connections = 16
const connectMs = 10_000
const statementMs = 30_000
const attempts = 12
/** Serialization failure and deadlock: the body is run again. */
const again = new Set(['40001', '40P01'])

/** 64-bit integers come as numbers: what is stored stays below 2^53. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC
      ? Number
      : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
}

/**
 * Opens a PostgreSQL database. Each transaction has a connection to itself and is SERIALIZABLE; one that loses is run again.
 * @param url such as `postgres://user@host:5432/name`
 * @param namespace PostgreSQL schema for the tables; made when missing
 * @throws database.newer, database.lost
 */
export async function openPostgres(input: {
  url: string
  schemas: readonly Schema[]
  namespace?: string
}): Promise<Database> {
  const namespace = input.namespace ?? 'pelago'
  const pool = new pg.Pool({
    connectionString: input.url,
    max: connections,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    options: `-c search_path=${namespace} -c default_transaction_isolation=serializable`,
    types,
  })
  // An idle connection that breaks is replaced when it is next wanted; that is when somebody is told.
  pool.on('error', () => undefined)
  let closed = false
  const transact = async <T>(body: Body<T>, begin: string): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      if (closed) throw databaseError('database.closed')
      const outcome = await tryOnce(pool, body, begin)
      if ('value' in outcome) return outcome.value
      if (!outcome.again) throw outcome.error
      if (attempt === attempts)
        throw databaseError('database.busy', { reason: 'others were always quicker' }, outcome.error)
      await pause(attempt)
    }
  }
  const database: Database = {
    transact: (body) => transact(body, 'BEGIN'),
    read: (body) => transact(body, 'BEGIN READ ONLY'),
    async close() {
      closed = true
      await pool.end()
    },
  }
  try {
    await createNamespace(pool, namespace)
    for (const schema of input.schemas) await database.transact(migrate(schema, dialect, namespace))
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

async function createNamespace(pool: pg.Pool, namespace: string): Promise<void> {
  if (!/^[a-z_][a-z0-9_]*$/.test(namespace)) throw new RangeError(`not a schema's name: ${namespace}`)
  try {
    await pool.query(`CREATE SCHEMA IF NOT EXISTS ${namespace}`)
  } catch (error) {
    // Two processes may create it at the same time; the second one finds it.
    if ((error as { code?: string }).code !== '23505') throw explain(error)
  }
}

type Outcome<T> = { value: T } | { error: unknown; again: boolean }

async function tryOnce<T>(pool: pg.Pool, body: Body<T>, begin: string): Promise<Outcome<T>> {
  let client: pg.PoolClient
  try {
    client = await pool.connect()
  } catch (error) {
    return { error: explain(error), again: false }
  }
  let committing = false
  let broken: Error | undefined
  const onError = (error: Error) => {
    broken = error
  }
  client.on('error', onError)
  try {
    await client.query(begin)
    const value = await drive(client, body)
    committing = true
    await client.query('COMMIT')
    return { value }
  } catch (error) {
    const code = (error as { code?: string }).code ?? ''
    // An answer of the server, with a code of five characters, says that it did not commit. Silence says nothing.
    const answered = /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('57P')
    if (!answered && !(error instanceof PelagoError) && code !== '') broken ??= error as Error
    if (committing && !answered) {
      broken ??= error as Error
      return { error: databaseError('database.uncertain', { reason: reasonOf(error) }, error), again: false }
    }
    if (!broken) await client.query('ROLLBACK').catch(onError)
    return { error: explain(error), again: again.has(code) }
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

async function drive<T>(client: pg.PoolClient, body: Body<T>): Promise<T> {
  const steps = body()
  let step = steps.next()
  while (!step.done) {
    const rows = await run(client, step.value)
    step = steps.next(rows)
  }
  return step.value
}

async function run(client: pg.PoolClient, { text, values }: Statement): Promise<Row[]> {
  const numbered = text.reduce((whole, part, at) => `${whole}$${at}${part}`)
  const parameters = values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value))
  const { rows } = await client.query(numbered, parameters)
  return rows as Row[]
}

/** Longer with every attempt, and never the same for two that met. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(500, 4 * 2 ** attempt)))
}

function explain(error: unknown): unknown {
  if (error instanceof PelagoError) return error
  const { code } = error as { code?: string }
  const reason = reasonOf(error)
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code) || code.startsWith('57P') || code.startsWith('08')) {
    return error instanceof TypeError ? error : databaseError('database.lost', { reason }, error)
  }
  if (code === '53100') return databaseError('database.full', { reason }, error)
  if (code.startsWith('53') || code === '57014') return databaseError('database.busy', { reason }, error)
  return databaseError('database.failed', { reason }, error)
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
