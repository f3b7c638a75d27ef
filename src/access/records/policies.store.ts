import { type Row, type Statement, sql } from '#kernel'
import { accessError } from '../errors.ts'
import { noteChange } from './changes.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** A policy of a person, a group or a role, under a name of its own. */
export type KeptPolicy = { holder: string; name: string; tenant: string; document: string; setAt: number }

/** Sets or replaces one. */
export function* setPolicy({ holder, name, tenant, document, setAt }: KeptPolicy): Step<void> {
  yield sql`INSERT INTO access_policies (holder, name, tenant, document, set_at)
    VALUES (${holder}, ${name}, ${tenant}, ${document}, ${setAt})
    ON CONFLICT (holder, name) DO UPDATE SET document = ${document}, set_at = ${setAt}`
  yield* noteChange()
}

export function* policiesOf(holder: string): Step<KeptPolicy[]> {
  const rows = yield sql`SELECT * FROM access_policies WHERE holder = ${holder} ORDER BY name`
  return rows.map((row) => ({
    holder,
    name: row.name as string,
    tenant: row.tenant as string,
    document: row.document as string,
    setAt: row.set_at as number,
  }))
}

/** @throws access-policy.missing */
export function* deletePolicy(holder: string, name: string): Step<void> {
  const [found] = yield sql`SELECT name FROM access_policies WHERE holder = ${holder} AND name = ${name}`
  if (!found) throw accessError('access-policy.missing', { policy: name })
  yield sql`DELETE FROM access_policies WHERE holder = ${holder} AND name = ${name}`
  yield* noteChange()
}
