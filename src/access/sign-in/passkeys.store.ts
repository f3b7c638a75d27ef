import { type Row, type Statement, sql } from '#kernel'
import { signInError } from './errors.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** A passkey of a person. `counter` is what the passkey counts itself; `regressedAt`: when it was last seen to go back. */
export type Passkey = {
  id: string
  tenant: string
  person: string
  name: string
  publicKey: Uint8Array
  algorithm: number
  aaguid: string
  counter: number
  backupEligible: boolean
  backedUp: boolean
  transports: string[]
  createdAt: number
  usedAt: number | undefined
  regressedAt: number | undefined
}

const mostOfPerson = 20

/** @throws passkey.taken, also when it is another tenant's; passkey.many */
export function* insertPasskey(passkey: Passkey): Step<void> {
  const [taken] = yield sql`SELECT id FROM passkeys WHERE id = ${passkey.id}`
  if (taken) throw signInError('passkey.taken')
  if ((yield* countPasskeys(passkey.person)) >= mostOfPerson) throw signInError('passkey.many', { most: mostOfPerson })
  const { id, tenant, person, name, publicKey, algorithm, aaguid, counter, transports, createdAt } = passkey
  yield sql`INSERT INTO passkeys (id, tenant, person, name, public_key, algorithm, aaguid, counter, backup_eligible, backed_up,
      transports, created_at)
    VALUES (${id}, ${tenant}, ${person}, ${name}, ${publicKey}, ${algorithm}, ${aaguid}, ${counter},
      ${passkey.backupEligible ? 1 : 0}, ${passkey.backedUp ? 1 : 0}, ${JSON.stringify(transports)}, ${createdAt})`
}

/** A passkey counts within its tenant only. */
export function* findPasskey(tenant: string, id: string): Step<Passkey | undefined> {
  const [row] = yield sql`SELECT * FROM passkeys WHERE id = ${id} AND tenant = ${tenant}`
  return row && passkeyOf(row)
}

export function* listPasskeys(person: string): Step<Passkey[]> {
  const rows = yield sql`SELECT * FROM passkeys WHERE person = ${person} ORDER BY created_at, id`
  return rows.map(passkeyOf)
}

export function* countPasskeys(person: string): Step<number> {
  const [row] = yield sql`SELECT COUNT(*) AS held FROM passkeys WHERE person = ${person}`
  return Number(row?.held)
}

/** Notes that a passkey was used. The counter is only raised, so that a copy cannot pull it back. */
export function* notePasskeyUse(
  id: string,
  now: number,
  said: { counter: number; backedUp: boolean; regressed: boolean },
): Step<void> {
  yield sql`UPDATE passkeys SET used_at = ${now}, backed_up = ${said.backedUp ? 1 : 0} WHERE id = ${id}`
  yield sql`UPDATE passkeys SET counter = ${said.counter} WHERE id = ${id} AND counter < ${said.counter}`
  if (said.regressed) yield sql`UPDATE passkeys SET regressed_at = ${now} WHERE id = ${id}`
}

/** @throws passkey.missing, passkey.last */
export function* deletePasskey(person: string, id: string): Step<void> {
  const [row] = yield sql`SELECT id FROM passkeys WHERE id = ${id} AND person = ${person}`
  if (!row) throw signInError('passkey.missing', { id })
  if ((yield* countPasskeys(person)) < 2) throw signInError('passkey.last')
  yield sql`DELETE FROM passkeys WHERE id = ${id}`
}

function passkeyOf(row: Row): Passkey {
  return {
    id: row.id as string,
    tenant: row.tenant as string,
    person: row.person as string,
    name: row.name as string,
    publicKey: row.public_key as Uint8Array,
    algorithm: row.algorithm as number,
    aaguid: row.aaguid as string,
    counter: row.counter as number,
    backupEligible: row.backup_eligible === 1,
    backedUp: row.backed_up === 1,
    transports: JSON.parse(row.transports as string) as string[],
    createdAt: row.created_at as number,
    usedAt: (row.used_at as number | null) ?? undefined,
    regressedAt: (row.regressed_at as number | null) ?? undefined,
  }
}
