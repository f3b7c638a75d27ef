import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** A key under which secrets lie, itself sealed. */
export type KeptKeyring = { id: number; sealed: Uint8Array; createdAt: number }

export function* listKeyrings(): Step<KeptKeyring[]> {
  const rows = yield sql`SELECT * FROM keyrings ORDER BY id`
  return rows.map((row) => ({
    id: row.id as number,
    sealed: row.sealed as Uint8Array,
    createdAt: row.created_at as number,
  }))
}

/** Adds one unless somebody else was first. */
export function* insertKeyring({ id, sealed, createdAt }: KeptKeyring): Step<void> {
  yield sql`INSERT INTO keyrings (id, sealed, created_at) VALUES (${id}, ${sealed}, ${createdAt}) ON CONFLICT DO NOTHING`
}
