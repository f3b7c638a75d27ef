import { createHash } from 'node:crypto'
import { canonicalJson, type Row, type Statement, sql } from '#kernel'
import type { Policy } from '#pool'
import { buryBody } from './bodies.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** Objects under the same policy share packs, whoever owns them; a class is the scope of its packs' segments. */
export type PackClass = { id: string; policy: Policy }

/** Policies are the same objects as long as they are remembered, so each is hashed once. */
const classes = new WeakMap<Policy, PackClass>()

export function packClassOf(policy: Policy): PackClass {
  const known = classes.get(policy)
  if (known) return known
  const digest = createHash('sha256')
    .update(canonicalJson({ ...policy }))
    .digest('hex')
  const packClass = { id: `pack-${digest.slice(0, 16)}`, policy }
  classes.set(policy, packClass)
  return packClass
}

export function* keepPackClass({ id, policy }: PackClass): Step<void> {
  yield sql`INSERT INTO pack_classes (id, policy) VALUES (${id}, ${JSON.stringify(policy)}) ON CONFLICT (id) DO NOTHING`
}

export function* allPackClasses(): Step<PackClass[]> {
  const rows = yield sql`SELECT * FROM pack_classes ORDER BY id`
  return rows.map((row) => ({ id: row.id as string, policy: JSON.parse(row.policy as string) as Policy }))
}

/** `bytes` is what its data shards hold, `live` how much of it objects are that still exist. */
export type Pack = { id: string; class: string; bytes: number; live: number }

/** A pack in which less than this part lives is loose: it should be written together with others. */
const looseBelow = 0.5

export function* insertPack(pack: Pack): Step<void> {
  yield sql`INSERT INTO packs (id, class, bytes, live) VALUES (${pack.id}, ${pack.class}, ${pack.bytes}, ${pack.live})`
}

export function* insertSlot(pack: string, slot: number, bucket: string, key: Uint8Array): Step<void> {
  yield sql`INSERT INTO packed (pack, slot, bucket, key) VALUES (${pack}, ${slot}, ${bucket}, ${key})`
}

/** Nothing refers to this slot any more. The pack's bytes stay readable until `notBefore`, whatever becomes of it. */
export function* dropSlot(pack: string, slot: number, size: number, notBefore: number): Step<void> {
  const gone = yield sql`DELETE FROM packed WHERE pack = ${pack} AND slot = ${slot} RETURNING slot`
  if (gone.length > 0) yield* shrinkPack(pack, size, notBefore)
}

/** So many bytes of a pack live no more. One that holds nothing any more is buried, one that has become loose is queued. */
export function* shrinkPack(id: string, by: number, notBefore: number): Step<void> {
  const [row] = yield sql`UPDATE packs SET live = live - ${by} WHERE id = ${id} RETURNING id, class, bytes, live`
  if (!row) return
  const pack = row as unknown as Pack
  if (pack.live === 0) {
    yield sql`DELETE FROM packs WHERE id = ${id}`
    yield sql`DELETE FROM loose_packs WHERE pack = ${id}`
    return yield* buryBody(id, notBefore)
  }
  if (pack.live < pack.bytes * looseBelow) yield* queuePack(id, pack.class, false)
}

/** @param must it cannot stay as it is, however full it is */
export function* queuePack(pack: string, packClass: string, must: boolean): Step<void> {
  yield sql`INSERT INTO loose_packs (pack, class, must) VALUES (${pack}, ${packClass}, ${must ? 1 : 0})
    ON CONFLICT (pack) DO UPDATE SET must = ${must ? 1 : 0} WHERE loose_packs.must = 0`
}

/** The loose packs that should be written anew together: those that must, or `enough` of one class; at most `limit`. */
export function* duePacks(enough: number, limit: number): Step<Pack[]> {
  const must =
    yield sql`SELECT p.* FROM loose_packs l JOIN packs p ON p.id = l.pack WHERE l.must = 1 ORDER BY p.id LIMIT ${limit}`
  if (must.length > 0) return must as unknown as Pack[]
  const [most] = yield sql`SELECT class, COUNT(*) AS n FROM loose_packs GROUP BY class ORDER BY n DESC, class LIMIT 1`
  if (!most || Number(most.n) < enough) return []
  const rows = yield sql`SELECT p.* FROM loose_packs l JOIN packs p ON p.id = l.pack
    WHERE l.class = ${most.class as string} ORDER BY p.id LIMIT ${limit}`
  return rows as unknown as Pack[]
}

export function* findPack(id: string): Step<Pack | undefined> {
  const [row] = yield sql`SELECT * FROM packs WHERE id = ${id}`
  return row as unknown as Pack | undefined
}

/** Remembers that what lies packed in this bucket may lie under an older policy. */
export function* beginPolicyMove(bucket: string): Step<void> {
  yield sql`INSERT INTO policy_moves (bucket, after) VALUES (${bucket}, ${new Uint8Array(0)})
    ON CONFLICT (bucket) DO UPDATE SET after = ${new Uint8Array(0)}`
}

/** Moves that have not looked at all of their bucket, and packs that must be written anew: what is still out of place. */
export function* countMoves(): Step<number> {
  const [moves] = yield sql`SELECT COUNT(*) AS n FROM policy_moves`
  const [packs] = yield sql`SELECT COUNT(*) AS n FROM loose_packs WHERE must = 1`
  return Number(moves?.n ?? 0) + Number(packs?.n ?? 0)
}

export function* hasPolicyMove(): Step<boolean> {
  const [move] = yield sql`SELECT bucket FROM policy_moves LIMIT 1`
  return move !== undefined
}

/**
 * Looks at a page of a bucket whose policy has changed and queues the packs of other classes.
 */
export function* advancePolicyMove(limit: number): Step<void> {
  const [move] =
    yield sql`SELECT m.bucket, m.after, b.policy FROM policy_moves m LEFT JOIN buckets b ON b.id = m.bucket LIMIT 1`
  if (!move) return
  const bucket = move.bucket as string
  const rows =
    move.policy === null
      ? []
      : yield sql`SELECT o.key, o.pack, p.class FROM objects o LEFT JOIN packs p ON p.id = o.pack
    WHERE o.bucket = ${bucket} AND o.key > ${move.after as Uint8Array} ORDER BY o.key LIMIT ${limit}`
  const wanted = move.policy === null ? '' : packClassOf(JSON.parse(move.policy as string) as Policy).id
  const packs = new Map(
    rows.flatMap((row) =>
      row.pack === null || row.class === wanted ? [] : [[row.pack as string, row.class as string]],
    ),
  )
  for (const [pack, packClass] of packs) yield* queuePack(pack, packClass, true)
  const last = rows[rows.length - 1]
  if (rows.length < limit || !last) yield sql`DELETE FROM policy_moves WHERE bucket = ${bucket}`
  else yield sql`UPDATE policy_moves SET after = ${last.key as Uint8Array} WHERE bucket = ${bucket}`
}
