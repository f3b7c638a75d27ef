import pg from 'pg'
import { type Body, type Database, databaseError, type Isolation, type Row } from '#kernel'
import { type Asked, type Prepared, prepare, preparedOf, Trip } from './postgres-trip.ts'
import { migrate, type Schema } from './schema.store.ts'

export const postgresDialect = { blob: 'BYTEA', int: 'BIGINT', text: 'TEXT', clustered: '' }

const connectionsMost = 16
const waitingMost = 5000
const connectMs = 10_000
/** Limits that the server keeps, so that a gateway that sleeps or is gone holds nobody up for long, milliseconds. */
const server = {
  statement_timeout: 30_000,
  lock_timeout: 10_000,
  idle_in_transaction_session_timeout: 10_000,
  client_connection_check_interval: 2000,
}
/** The server's own limit comes first, unless the server itself has stopped. */
const answerMs = 35_000
/** How long a body is run again and again, and the longest pause between two attempts. */
const patienceMs = 15_000
const pauseMostMs = 400
const attemptsMost = 40
/** Statements that are sent together at the most. */
const togetherMost = 64

/**
 * After these codes the body is run again: serialization failure, deadlock, a lock that took too long, a row that somebody
 * else inserted first (the second look finds it), a transaction that slept too long, tables that were just migrated.
 */
const again = new Set(['40001', '40P01', '55P03', '23505', '25P03', '0A000'])

const begins: Record<Isolation | 'read', Prepared> = {
  serializable: prepare('BEGIN ISOLATION LEVEL SERIALIZABLE'),
  snapshot: prepare('BEGIN ISOLATION LEVEL REPEATABLE READ'),
  committed: prepare('BEGIN ISOLATION LEVEL READ COMMITTED'),
  // One state of the database, as of now, is all that a reader is promised; it is in nobody's way.
  read: prepare('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'),
}
const commit = prepare('COMMIT')
const rollback = prepare('ROLLBACK')

export type PostgresInput = {
  /** Such as `postgres://user@host:5432/name`, without a password. */
  url: string
  /** Asked at each connection, so that it may change. Undefined where the server wants none. */
  password?: (() => Promise<string>) | undefined
  schemas: readonly Schema[]
  /** PostgreSQL schema for the tables; made when missing. */
  namespace?: string
  /** Connections at the most; as many transactions run at the same time. */
  connections?: number
}

/** How often bodies had to be run again since the start, by the server's code. */
export type PostgresDatabase = Database & { retries(): Readonly<Record<string, number>> }

/**
 * Opens a PostgreSQL database. Each transaction has a connection to itself; one that loses against another is run again,
 * within limits. Statements that return nothing travel with the next one that does, or with the commit.
 * @throws database.newer, database.lost
 */
export async function openPostgres(input: PostgresInput): Promise<PostgresDatabase> {
  const namespace = input.namespace ?? 'pelago'
  const settings = Object.entries({ search_path: namespace, jit: 'off', ...server })
  const pool = new pg.Pool({
    connectionString: input.url,
    Client: clientWith(input.password),
    max: input.connections ?? connectionsMost,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: connectMs,
    application_name: 'pelago',
    options: settings.map(([name, value]) => `-c ${name}=${value}`).join(' '),
  })
  // An idle connection that breaks is replaced when it is next wanted; that is when somebody is told.
  pool.on('error', () => undefined)
  const retries: Record<string, number> = {}
  let closed = false
  const transact = async <T>(body: Body<T>, kind: Isolation | 'read'): Promise<T> => {
    const until = performance.now() + patienceMs
    for (let attempt = 1; ; attempt++) {
      if (closed) throw databaseError('database.closed')
      if (pool.waitingCount >= waitingMost)
        throw databaseError('database.busy', { reason: `${waitingMost} transactions wait` })
      const outcome = await tryOnce(pool, body, kind)
      if ('value' in outcome) return outcome.value
      if (outcome.again === undefined) throw outcome.error
      retries[outcome.again] = (retries[outcome.again] ?? 0) + 1
      if (attempt === attemptsMost || performance.now() > until) {
        if (outcome.again === 'lost' || outcome.again === '23505') throw outcome.error
        throw databaseError('database.busy', { reason: 'others were always quicker' }, outcome.error)
      }
      await pause(attempt)
    }
  }
  const database: PostgresDatabase = {
    transact: (body, isolation = 'serializable') => transact(body, isolation),
    read: (body) => transact(body, 'read'),
    retries: () => retries,
    async close() {
      closed = true
      await pool.end()
    },
  }
  try {
    await createNamespace(pool, namespace)
    for (const schema of input.schemas) await database.transact(migrate(schema, postgresDialect, namespace))
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

/** A URL without a password overrules one beside it, so it is set afterwards. */
function clientWith(password: PostgresInput['password']): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config)
      if (password) Object.assign(this, { password })
    }
  }
}

async function createNamespace(pool: pg.Pool, namespace: string): Promise<void> {
  if (!/^[a-z_][a-z0-9_]*$/.test(namespace)) throw new RangeError(`not a schema's name: ${namespace}`)
  try {
    const { rowCount } = await pool.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [namespace])
    // Asked first, because a role that may only use it may not even say IF NOT EXISTS.
    if (rowCount === 0) await pool.query(`CREATE SCHEMA IF NOT EXISTS ${namespace}`)
  } catch (error) {
    // Two processes may create it at the same time; the second one finds it.
    if (codeOf(error) !== '23505') throw explain(error)
  }
}

/** `again`: why it is worth another attempt. */
type Outcome<T> = { value: T } | { error: unknown; again: string | undefined }

async function tryOnce<T>(pool: pg.Pool, body: Body<T>, kind: Isolation | 'read'): Promise<Outcome<T>> {
  let client: pg.PoolClient
  try {
    client = await pool.connect()
  } catch (error) {
    const code = codeOf(error)
    return { error: explain(error), again: code === undefined || isGone(code) ? 'lost' : undefined }
  }
  const session = openSession(client, begins[kind])
  try {
    const value = await drive(session, body)
    if (kind === 'read') {
      // What was read is known; its end is waited for by whoever has the connection next.
      void session.end()
      return { value }
    }
    await session.commit()
    session.release()
    return { value }
  } catch (error) {
    if (!(error instanceof TripFailed)) {
      await session.end()
      return { error, again: undefined }
    }
    const { cause, code } = error
    const answered = code !== undefined && !isGone(code)
    if (!answered || code === '0A000') session.breakOff(cause)
    await session.end()
    // Only an answer of the server says that it did not commit. Silence says nothing.
    if (error.committing && !answered && code !== '25P03') {
      return { error: databaseError('database.uncertain', { reason: reasonOf(cause) }, cause), again: undefined }
    }
    return { error: explain(cause), again: !answered ? 'lost' : again.has(code) ? code : undefined }
  }
}

/** What the server, or the way to it, answered. */
class TripFailed extends Error {
  override readonly cause: unknown
  readonly code: string | undefined
  readonly committing: boolean

  constructor(cause: unknown, committing: boolean) {
    super(reasonOf(cause))
    this.cause = cause
    this.code = codeOf(cause)
    this.committing = committing
  }
}

/** A transaction on a connection of its own. */
function openSession(client: pg.PoolClient, begin: Prepared) {
  let waiting: Asked[] = [{ prepared: begin, values: [] }]
  let begun = false
  let broken: Error | undefined
  const breakOff = (error: unknown) => {
    broken ??= error instanceof Error ? error : new Error(String(error))
  }
  client.on('error', breakOff)
  const flush = async (last: Asked, committing = false): Promise<Row[]> => {
    // What is known to be broken is not sent to, so nothing can come of it.
    if (broken) throw new TripFailed(broken, false)
    const trip = new Trip([...waiting, last])
    waiting = []
    begun = true
    const timer = setTimeout(() => trip.handleError(new Error('no answer in time')), answerMs)
    try {
      client.query(trip)
      return await trip.rows
    } catch (error) {
      throw new TripFailed(error, committing)
    } finally {
      clearTimeout(timer)
    }
  }
  const release = () => {
    client.off('error', breakOff)
    client.release(broken)
  }
  return {
    breakOff,
    release,
    /** @returns undefined when it returns nothing and so need not be waited for */
    ask(asked: Asked): Promise<Row[]> | undefined {
      if (!asked.prepared.silent || waiting.length >= togetherMost) return flush(asked)
      waiting.push(asked)
      return undefined
    },
    async commit() {
      // Nothing was asked, so nothing was begun.
      if (begun || waiting.length > 1) await flush({ prepared: commit, values: [] }, true)
    },
    /** Undoes what was written, and gives the connection back. */
    async end() {
      waiting = []
      try {
        if (begun && !broken) await flush({ prepared: rollback, values: [] })
      } catch (error) {
        breakOff(error)
      }
      release()
    },
  }
}

async function drive<T>(session: ReturnType<typeof openSession>, body: Body<T>): Promise<T> {
  const steps = body()
  let step = steps.next()
  while (!step.done) {
    const rows = session.ask({ prepared: preparedOf(step.value), values: step.value.values })
    step = steps.next(rows ? await rows : [])
  }
  return step.value
}

/** Longer with every attempt, and never the same for two that met. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(pauseMostMs, 4 * 2 ** attempt)))
}

/** The server's code of five characters; undefined for whatever did not come from the server. */
function codeOf(error: unknown): string | undefined {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && severity !== undefined ? code : undefined
}

/** Codes after which the session is over: the server stops or starts, or the transaction slept too long. */
const isGone = (code: string) => code.startsWith('57P') || code.startsWith('08') || code === '25P03'

function explain(error: unknown): unknown {
  const code = codeOf(error)
  const reason = reasonOf(error)
  if (code === undefined || isGone(code)) return databaseError('database.lost', { reason }, error)
  if (code === '53100') return databaseError('database.full', { reason }, error)
  if (code.startsWith('53') || code === '57014') return databaseError('database.busy', { reason }, error)
  return databaseError('database.failed', { reason }, error)
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
