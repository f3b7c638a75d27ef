import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/**
 * What the destruction of a bucket's keys erases: all that was deleted in it before a time. `rotated`: a new epoch began, the
 * older ones are destroyed once nothing uses them. `ended`: the bucket was deleted, and all of its epochs are destroyed.
 */
export type Erasure = {
  /** The bucket's id, and the name that it had. */
  scope: string
  bucket: string
  cause: 'rotated' | 'ended'
  /** Milliseconds since 1970 UTC. What was deleted later is not covered. */
  before: number
  /** Undefined while the keys are still there. */
  destroyedAt: number | undefined
  /** How many epochs were destroyed. */
  epochs: number
}

/** Notes that keys are to be destroyed. */
export function* promiseErasure(
  tenant: string,
  { scope, bucket, cause, before }: Omit<Erasure, 'destroyedAt' | 'epochs'>,
): Step<void> {
  yield sql`INSERT INTO erasures (scope, before, tenant, bucket, cause, destroyed_at, epochs)
    VALUES (${scope}, ${before}, ${tenant}, ${bucket}, ${cause}, NULL, 0) ON CONFLICT (scope, before) DO NOTHING`
}

/** Everything that was promised for a scope is done: the keys of before are gone. */
export function* keepErasures(scope: string, destroyedAt: number, epochs: number): Step<void> {
  yield sql`UPDATE erasures SET destroyed_at = ${destroyedAt}, epochs = ${epochs}
    WHERE scope = ${scope} AND destroyed_at IS NULL`
}

/** The newest erasure of a bucket. */
export function* lastErasure(scope: string): Step<Erasure | undefined> {
  const [row] = yield sql`SELECT * FROM erasures WHERE scope = ${scope} ORDER BY before DESC LIMIT 1`
  return row && erasureOf(row)
}

/** Behind which one a page begins. */
export type ErasurePlace = { before: number; scope: string }

/** A page of the erasures of a tenant, the newest first. */
export function* listErasures(tenant: string, after: ErasurePlace | undefined, limit: number): Step<Erasure[]> {
  const { before, scope } = after ?? { before: Number.MAX_SAFE_INTEGER, scope: '' }
  const rows = yield sql`SELECT * FROM erasures WHERE tenant = ${tenant} AND (before, scope) < (${before}, ${scope})
    ORDER BY before DESC, scope DESC LIMIT ${limit}`
  return rows.map(erasureOf)
}

function erasureOf(row: Row): Erasure {
  return {
    scope: row.scope as string,
    bucket: row.bucket as string,
    cause: row.cause as Erasure['cause'],
    before: row.before as number,
    destroyedAt: row.destroyed_at === null ? undefined : (row.destroyed_at as number),
    epochs: row.epochs as number,
  }
}
