import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** The newest version of the directory of providers that any gateway of this index has had; 0 before the first. */
export function* newestDirectory(): Step<number> {
  const [row] = yield sql`SELECT version FROM directory_seen WHERE id = 1`
  return Number(row?.version ?? 0)
}

/** Says that there is this version. An older one changes nothing. */
export function* raiseDirectory(version: number): Step<void> {
  yield sql`INSERT INTO directory_seen (id, version) VALUES (1, ${version})
    ON CONFLICT (id) DO UPDATE SET version = excluded.version WHERE directory_seen.version < excluded.version`
}
