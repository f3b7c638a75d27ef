import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** Bytes that nothing refers to any more; they stay until readers that began earlier are surely done. */
export function* buryBody(body: string, notBefore: number): Step<void> {
  yield sql`INSERT INTO dead_bodies (body, not_before) VALUES (${body}, ${notBefore}) ON CONFLICT (body) DO NOTHING`
}

export function* dueBodies(now: number, limit: number): Step<string[]> {
  const rows = yield sql`SELECT body FROM dead_bodies WHERE not_before <= ${now} ORDER BY not_before LIMIT ${limit}`
  return rows.map((row) => row.body as string)
}

export function* deleteDeadBody(body: string): Step<void> {
  yield sql`DELETE FROM dead_bodies WHERE body = ${body}`
}

/** How many wait for their readers, or for the sweep. */
export function* countDeadBodies(): Step<number> {
  const [row] = yield sql`SELECT COUNT(*) AS n FROM dead_bodies`
  return Number(row?.n ?? 0)
}
