import { type Call, type Json, type Migration, type Row, type Statement, sql } from '#kernel'
import { openAnswer, sealAnswer } from './seal-answer.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** A wish is one request and all its repetitions. `answers` has what was answered to it, `deeds` what was done for it. */
export const answerMigrations: Migration[] = [
  {
    id: 1,
    name: 'answers',
    statements: [
      `CREATE TABLE answers (
        wish {text} NOT NULL PRIMARY KEY, asker {text} NOT NULL, request {text} NOT NULL, holder {text} NOT NULL, until {int} NOT NULL,
        expires_at {int} NOT NULL, answer {blob})`,
      'CREATE INDEX answers_by_asker ON answers (asker)',
      'CREATE INDEX answers_by_age ON answers (expires_at)',
      `CREATE TABLE deeds (wish {text} NOT NULL, step {text} NOT NULL, result {blob} NOT NULL, PRIMARY KEY (wish, step)) {clustered}`,
    ],
  },
]

export type Claim = {
  wish: string
  /** Whose wishes are counted together. */
  asker: string
  /** Tells requests apart that come under the same key. */
  request: string
  holder: string
  now: number
  /** Until then nobody else works on it, unless the claim is renewed. */
  until: number
  /** From then on it is forgotten. */
  expiresAt: number
}

/**
 * `yours`: do it; `again` when somebody began before and nobody knows how far he came. `answered`: say it again. `running`:
 * somebody is at it until then. `other`: another request came under this key before.
 */
export type Claimed =
  | { state: 'yours'; again: boolean }
  | { state: 'answered'; answer: Uint8Array }
  | { state: 'running'; until: number }
  | { state: 'other' }

/** Takes a wish upon oneself, or says what has become of it. */
export function* claimAnswer({ wish, asker, request, holder, now, until, expiresAt }: Claim): Step<Claimed> {
  const [row] = yield sql`SELECT request, until, expires_at, answer FROM answers WHERE wish = ${wish}`
  if (row && Number(row.expires_at) > now) {
    if (row.request !== request) return { state: 'other' }
    if (row.answer !== null) return { state: 'answered', answer: row.answer as Uint8Array }
    if (Number(row.until) > now) return { state: 'running', until: Number(row.until) }
    yield sql`UPDATE answers SET holder = ${holder}, until = ${until} WHERE wish = ${wish}`
    return { state: 'yours', again: true }
  }
  if (row) yield* forget(wish)
  yield sql`INSERT INTO answers (wish, asker, request, holder, until, expires_at, answer)
    VALUES (${wish}, ${asker}, ${request}, ${holder}, ${until}, ${expiresAt}, NULL)`
  return { state: 'yours', again: false }
}

/** Keeps the claim for longer. @returns false when somebody else has it by now */
export function* renewClaim(wish: string, holder: string, until: number): Step<boolean> {
  const kept = yield sql`UPDATE answers SET until = ${until} WHERE wish = ${wish} AND holder = ${holder} RETURNING wish`
  return kept.length > 0
}

/** Lets a repetition begin at once; what was done for the wish stays known. */
export function* dropClaim(wish: string, holder: string): Step<void> {
  yield sql`UPDATE answers SET until = 0 WHERE wish = ${wish} AND holder = ${holder} AND answer IS NULL`
}

/** Keeps what was answered, for the repetitions. The deeds have told what they had to. */
export function* keepAnswer(wish: string, holder: string, answer: Uint8Array): Step<void> {
  const kept =
    yield sql`UPDATE answers SET answer = ${answer} WHERE wish = ${wish} AND holder = ${holder} RETURNING wish`
  if (kept.length > 0) yield sql`DELETE FROM deeds WHERE wish = ${wish}`
}

/** How many wishes of an asker are remembered, up to `most`. */
export function* countAnswers(asker: string, most: number): Step<number> {
  const [row] =
    yield sql`SELECT COUNT(*) AS count FROM (SELECT wish FROM answers WHERE asker = ${asker} LIMIT ${most}) AS known`
  return Number(row?.count ?? 0)
}

/** Forgets what is too old. @returns how many were forgotten, at most `most` */
export function* forgetAnswers(now: number, most: number): Step<number> {
  const rows = yield sql`SELECT wish FROM answers WHERE expires_at <= ${now} ORDER BY expires_at LIMIT ${most}`
  for (const { wish } of rows) yield* forget(wish as string)
  return rows.length
}

function* forget(wish: string): Step<void> {
  yield sql`DELETE FROM deeds WHERE wish = ${wish}`
  yield sql`DELETE FROM answers WHERE wish = ${wish}`
}

/**
 * Does something once per wish, also when the process dies between doing and answering: the result is kept in the very
 * transaction that brings it about, and a repetition is given it. Without a wish it is simply done.
 * @param step tells several such transactions of one call apart
 */
export function* once<T extends Json>({ once: wish }: Pick<Call, 'once'>, step: string, body: () => Step<T>): Step<T> {
  if (!wish) return yield* body()
  const [row] = yield sql`SELECT result FROM deeds WHERE wish = ${wish.id} AND step = ${step}`
  if (row) return JSON.parse(openAnswer(wish.key, row.result as Uint8Array)) as T
  const result = yield* body()
  yield sql`INSERT INTO deeds (wish, step, result)
    VALUES (${wish.id}, ${step}, ${sealAnswer(wish.key, JSON.stringify(result))})`
  return result
}
