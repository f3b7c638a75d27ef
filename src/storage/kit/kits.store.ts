import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** A recovery kit as the gateway knows it: nothing that opens anything, but enough to see that the kit does, and for what. */
export type Kit = {
  /** 32 hex digits. */
  id: string
  /** Whose key it holds. */
  gateway: string
  /** Name of the root key that its shares give. */
  root: string
  /** SHA-256, in hex, of the gateway's public key and of what the federation is known by. */
  gatewayKey: string
  anchor: string
  /** SHA-256, in hex, of what whoever opens the kit finds in it. */
  proof: string
  madeAt: number
  testedAt: number | undefined
  /** Since when all copies of it are said to be destroyed. */
  discardedAt: number | undefined
}

/** @returns false when it was there already */
export function* insertKit(kit: Omit<Kit, 'testedAt' | 'discardedAt'>): Step<boolean> {
  const { id, gateway, root, gatewayKey, anchor, proof, madeAt } = kit
  const rows = yield sql`INSERT INTO recovery_kits
    (id, gateway, root, gateway_key, anchor, proof, made_at, tested_at, discarded_at)
    VALUES (${id}, ${gateway}, ${root}, ${gatewayKey}, ${anchor}, ${proof}, ${madeAt}, NULL, NULL)
    ON CONFLICT (id) DO NOTHING RETURNING id`
  return rows.length === 1
}

export function* findKit(id: string): Step<Kit | undefined> {
  const [row] = yield sql`SELECT * FROM recovery_kits WHERE id = ${id}`
  return row && kitOf(row)
}

/** The kits that are not said to be destroyed: the one that was tested last before the others, then the newest. */
export function* listKits(limit: number): Step<Kit[]> {
  const rows = yield sql`SELECT * FROM recovery_kits WHERE discarded_at IS NULL
    ORDER BY COALESCE(tested_at, 0) DESC, made_at DESC, id LIMIT ${limit}`
  return rows.map(kitOf)
}

export function* markTested(id: string, now: number): Step<void> {
  yield sql`UPDATE recovery_kits SET tested_at = ${now} WHERE id = ${id}`
}

/** @returns false when it was said before */
export function* markDiscarded(id: string, now: number): Step<boolean> {
  const rows =
    yield sql`UPDATE recovery_kits SET discarded_at = ${now} WHERE id = ${id} AND discarded_at IS NULL RETURNING id`
  return rows.length === 1
}

function kitOf(row: Row): Kit {
  return {
    id: row.id as string,
    gateway: row.gateway as string,
    root: row.root as string,
    gatewayKey: row.gateway_key as string,
    anchor: row.anchor as string,
    proof: row.proof as string,
    madeAt: row.made_at as number,
    testedAt: row.tested_at === null ? undefined : (row.tested_at as number),
    discardedAt: row.discarded_at === null ? undefined : (row.discarded_at as number),
  }
}
