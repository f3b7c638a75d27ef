import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/**
 * Says that what requests are judged by has changed. The row is locked until the transaction commits, so changes become
 * visible in the order of their numbers.
 */
export function* noteChange(): Step<void> {
  yield sql`UPDATE access_changes SET sequence = sequence + 1 WHERE id = 1`
}

/** The number of the last change. */
export function* lastChange(): Step<number> {
  const [row] = yield sql`SELECT sequence FROM access_changes WHERE id = 1`
  return Number(row?.sequence ?? 0)
}
