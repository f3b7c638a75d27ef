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
  if (pack.live < pack.bytes * looseBelow) yield* queuePack(id, pack.class)
}

export function* queuePack(pack: string, packClass: string): Step<void> {
  yield sql`INSERT INTO loose_packs (pack, class, must) VALUES (${pack}, ${packClass}, 0) ON CONFLICT (pack) DO NOTHING`
}

/** The loose packs that should be written anew together: those of one class, where there are `enough`; at most `limit`. */
export function* duePacks(enough: number, limit: number): Step<Pack[]> {
  const [most] = yield sql`SELECT class, COUNT(*) AS n FROM loose_packs GROUP BY class ORDER BY n DESC, class LIMIT 1`
  if (!most || Number(most.n) < enough) return []
  const rows = yield sql`SELECT p.id, p.class, p.bytes, p.live FROM loose_packs l JOIN packs p ON p.id = l.pack
    WHERE l.class = ${most.class as string} ORDER BY p.id LIMIT ${limit}`
  return rows as unknown as Pack[]
}

export function* findPack(id: string): Step<Pack | undefined> {
  const [row] = yield sql`SELECT id, class, bytes, live FROM packs WHERE id = ${id}`
  return row as unknown as Pack | undefined
}

/** Remembers that what lies in this bucket may lie under an older policy, and looks at it from its beginning. */
export function* beginPolicyMove(bucket: string): Step<void> {
  yield sql`INSERT INTO policy_moves (bucket, after) VALUES (${bucket}, ${new Uint8Array(0)})
    ON CONFLICT (bucket) DO UPDATE SET after = ${new Uint8Array(0)}`
}

/** Buckets of which not everything is known to lie as their policies want. */
export function* policyMoves(): Step<string[]> {
  const rows = yield sql`SELECT bucket FROM policy_moves ORDER BY bucket`
  return rows.map(({ bucket }) => bucket as string)
}

export type MovePage = {
  /** Packs of other classes, as many as may be written anew at once. */
  packs: string[]
  /** The last key that has been looked at when these are; undefined at the end of the bucket. */
  upTo: Uint8Array | undefined
}

/**
 * A page of a bucket whose policy has changed, from where its move is.
 * @param most live bytes of the packs at the most; one is always taken
 */
export function* policyMovePage(bucket: string, wanted: string, limit: number, most: number): Step<MovePage> {
  const [move] = yield sql`SELECT after FROM policy_moves WHERE bucket = ${bucket}`
  const after = (move?.after as Uint8Array | undefined) ?? new Uint8Array(0)
  const rows = yield sql`SELECT o.key, p.id, p.class, p.live FROM objects o LEFT JOIN packs p ON p.id = o.pack
    WHERE o.bucket = ${bucket} AND o.key > ${after} ORDER BY o.key LIMIT ${limit}`
  const packs = new Set<string>()
  let bytes = 0
  let upTo: Uint8Array | undefined = after
  for (const { key, id, class: packClass, live } of rows) {
    if (id !== null && packClass !== wanted && !packs.has(id as string)) {
      bytes += live as number
      if (packs.size > 0 && bytes > most) return { packs: [...packs], upTo }
      packs.add(id as string)
    }
    upTo = key as Uint8Array
  }
  return { packs: [...packs], upTo: rows.length < limit ? undefined : upTo }
}

export function* advancePolicyMove(bucket: string, upTo: Uint8Array): Step<void> {
  yield sql`UPDATE policy_moves SET after = ${upTo} WHERE bucket = ${bucket}`
}

export function* endPolicyMove(bucket: string): Step<void> {
  yield sql`DELETE FROM policy_moves WHERE bucket = ${bucket}`
}
