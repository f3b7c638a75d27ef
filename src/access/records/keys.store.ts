import { type Row, type Statement, sql } from '#kernel'
import { accessError } from '../errors.ts'
import { noteChange } from './changes.store.ts'
import type { StandingState } from './tenants.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** An access key as it is kept. Its secret is sealed and told nobody again. `usedAt` is the hour of the last use, and may lag. */
export type KeptKey = {
  id: string
  tenant: string
  /** The person, or program, whom it speaks for. */
  person: string
  note: string
  keyring: number
  secret: Uint8Array
  state: StandingState
  createdAt: number
  usedAt: number | undefined
}

/** @throws key.exists */
export function* insertKey(key: KeptKey): Step<void> {
  if (yield* findKey(key.id)) throw accessError('key.exists', { key: key.id })
  yield sql`INSERT INTO access_keys (id, tenant, person, note, keyring, secret, state, created_at, used_at)
    VALUES (${key.id}, ${key.tenant}, ${key.person}, ${key.note}, ${key.keyring}, ${key.secret}, ${key.state},
      ${key.createdAt}, ${key.usedAt ?? null})`
  yield* noteChange()
}

export function* findKey(id: string): Step<KeptKey | undefined> {
  const [row] = yield sql`SELECT * FROM access_keys WHERE id = ${id}`
  return row && keyOf(row)
}

/** @throws key.missing, also for the key of another tenant */
export function* getKey(tenant: string, id: string): Step<KeptKey> {
  const key = yield* findKey(id)
  if (key?.tenant !== tenant) throw accessError('key.missing', { key: id })
  return key
}

export function* listKeys(tenant: string): Step<KeptKey[]> {
  const rows = yield sql`SELECT * FROM access_keys WHERE tenant = ${tenant} ORDER BY created_at, id`
  return rows.map(keyOf)
}

export function* countKeys(person: string): Step<number> {
  const [row] = yield sql`SELECT COUNT(*) AS n FROM access_keys WHERE person = ${person}`
  return Number(row?.n)
}

/** @throws key.missing */
export function* setKeyState(tenant: string, id: string, state: StandingState): Step<KeptKey> {
  const key = yield* getKey(tenant, id)
  yield sql`UPDATE access_keys SET state = ${state} WHERE id = ${id}`
  yield* noteChange()
  return { ...key, state }
}

/** @throws key.missing */
export function* deleteKey(tenant: string, id: string): Step<KeptKey> {
  const key = yield* getKey(tenant, id)
  yield sql`DELETE FROM access_keys WHERE id = ${id}`
  yield* noteChange()
  return key
}

/** Notes when keys were last used. Nothing is judged by it, so it counts as no change. */
export function* noteKeyUse(uses: ReadonlyMap<string, number>): Step<void> {
  for (const [id, at] of uses)
    yield sql`UPDATE access_keys SET used_at = ${at} WHERE id = ${id} AND (used_at IS NULL OR used_at < ${at})`
}

function keyOf(row: Row): KeptKey {
  return {
    id: row.id as string,
    tenant: row.tenant as string,
    person: row.person as string,
    note: row.note as string,
    keyring: row.keyring as number,
    secret: row.secret as Uint8Array,
    state: row.state as StandingState,
    createdAt: row.created_at as number,
    usedAt: (row.used_at as number | null) ?? undefined,
  }
}
