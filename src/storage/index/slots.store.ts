import { type Row, type Statement, sql, utf8 } from '#kernel'
import { objectOf, type StoredObject } from './objects.store.ts'
import { insertSlot } from './packs.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

export type LiveSlot = { bucket: string; object: StoredObject }

/** The objects that live in a pack. */
export function* liveSlots(pack: string): Step<LiveSlot[]> {
  const rows = yield sql`SELECT o.*, p.bucket AS owner FROM packed p
    JOIN objects o ON o.bucket = p.bucket AND o.key = p.key AND o.pack = p.pack AND o.slot = p.slot
    WHERE p.pack = ${pack} ORDER BY p.slot`
  return rows.map((row) => ({ bucket: row.owner as string, object: objectOf(row) }))
}

/**
 * Lets an object live elsewhere, if it is still the same version in the same place.
 * @returns false when it was replaced, deleted or moved meanwhile
 */
export function* moveSlot(
  { bucket, object }: LiveSlot,
  to: { pack: string; slot: number; shard: number | undefined; start: number },
): Step<boolean> {
  const { packed, version } = object
  if (!packed) return false
  const key = utf8(object.key)
  const moved =
    yield sql`UPDATE objects SET pack = ${to.pack}, slot = ${to.slot}, shard = ${to.shard ?? null}, start = ${to.start}
    WHERE bucket = ${bucket} AND key = ${key} AND version = ${version} AND pack = ${packed.pack} AND slot = ${packed.slot} RETURNING slot`
  if (moved.length === 0) return false
  yield* insertSlot(to.pack, to.slot, bucket, key)
  return true
}
