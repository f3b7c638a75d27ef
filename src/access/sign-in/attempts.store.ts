import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** So many attempts within so many milliseconds. */
export type AttemptLimit = { most: number; withinMs: number }

const keptMs = 24 * 3_600_000

/**
 * Counts one more attempt at something that could be guessed. Its transaction must commit before the guess is looked at, so
 * that neither a crash nor a refusal forgets it.
 * @returns milliseconds to wait when there were too many already, else 0
 */
export function* countAttempt(subject: string, now: number, limit: AttemptLimit): Step<number> {
  yield sql`DELETE FROM attempts WHERE since < ${now - keptMs}`
  const [row] = yield sql`SELECT since, count FROM attempts WHERE subject = ${subject}`
  const running = row !== undefined && (row.since as number) > now - limit.withinMs
  const since = running ? (row.since as number) : now
  const count = running ? (row.count as number) : 0
  if (count >= limit.most) return since + limit.withinMs - now
  yield sql`INSERT INTO attempts (subject, since, count) VALUES (${subject}, ${since}, ${count + 1})
    ON CONFLICT (subject) DO UPDATE SET since = ${since}, count = ${count + 1}`
  return 0
}
