import { type Migration, type Row, type Statement, sharing, sql } from '#kernel'
import { workError } from './errors.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** A right to do one loop's work. The token grows with every holder, so a write of an earlier one can be told apart. */
export type Fence = { loop: string; token: number }

export const workMigrations: Migration[] = [
  {
    id: 1,
    name: 'leases',
    statements: [
      `CREATE TABLE leases (loop {text} NOT NULL PRIMARY KEY, holder {text} NOT NULL, token {int} NOT NULL, until {int} NOT NULL)`,
    ],
  },
]

/** Takes or keeps a loop for `holder` until `until`. @returns undefined while somebody else has it */
export function* takeLease(loop: string, holder: string, now: number, until: number): Step<Fence | undefined> {
  const [lease] = yield sql`SELECT holder, token, until FROM leases WHERE loop = ${loop}`
  if (lease && lease.holder !== holder && (lease.until as number) > now) return undefined
  const token = Number(lease?.token ?? 0) + (lease?.holder === holder ? 0 : 1)
  yield sql`INSERT INTO leases (loop, holder, token, until) VALUES (${loop}, ${holder}, ${token}, ${until})
    ON CONFLICT (loop) DO UPDATE SET holder = ${holder}, token = ${token}, until = ${until}`
  return { loop, token }
}

/** Lets a loop go, so that the next holder need not wait. */
export function* dropLease(loop: string, holder: string): Step<void> {
  yield sql`UPDATE leases SET until = 0 WHERE loop = ${loop} AND holder = ${holder}`
}

/**
 * The first step of every background write: refuses when somebody else holds the loop by now. Whoever wants to take it over
 * waits until this transaction has ended, so nothing is written after it was taken.
 * @throws work.fenced
 */
export function* checkFence({ loop, token }: Fence): Step<void> {
  const [lease] = yield sharing(sql`SELECT token FROM leases WHERE loop = ${loop}`)
  if (lease?.token !== token) throw workError('work.fenced', { loop })
}
