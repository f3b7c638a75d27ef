import { fromUtf8, type Row, type Statement, sql, utf8 } from '#kernel'
import { storageError } from '../errors.ts'
import { buryBody } from './bodies.store.ts'
import { dropSlot, insertSlot } from './packs.store.ts'
import type { Checksum, ListedObject, ObjectHeaders, ObjectInfo, PartInfo, WriteCondition } from '../object.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** Where a small object lies: in a slot of a pack, sealed with a key of its own that the index keeps wrapped. */
export type Packed = {
  pack: string
  slot: number
  /** The data shard that holds it whole, or undefined when it is cut over all. */
  shard: number | undefined
  /** Where it begins in the column of its shard, or in each column. */
  start: number
  epoch: number
  dataKey: Uint8Array
  commitment: Uint8Array
}

export type StoredObject = ObjectInfo & { multipart: boolean; packed?: Packed }
export type StoredPart = PartInfo & { body: string }

export function* findObject(bucket: string, key: string): Step<StoredObject | undefined> {
  const [row] = yield sql`SELECT * FROM objects WHERE bucket = ${bucket} AND key = ${utf8(key)}`
  return row && objectOf(row)
}

/** What a write must know of the version that it replaces. */
export type CurrentObject = Pick<StoredObject, 'key' | 'version' | 'size' | 'etag' | 'multipart'> & {
  packed?: Pick<Packed, 'pack' | 'slot'>
}

export function* findCurrent(bucket: string, key: string): Step<CurrentObject | undefined> {
  const [row] = yield sql`SELECT version, size, etag, multipart, pack, slot FROM objects
    WHERE bucket = ${bucket} AND key = ${utf8(key)}`
  return (
    row && {
      key,
      version: row.version as string,
      size: row.size as number,
      etag: row.etag as string,
      multipart: row.multipart === 1,
      ...(row.pack !== null && { packed: { pack: row.pack as string, slot: row.slot as number } }),
    }
  )
}

/**
 * A bucket's id and an object in it, in one statement: every read begins with it.
 * @throws bucket.missing also for the bucket of another tenant
 */
export function* findObjectIn(
  tenant: string,
  name: string,
  key: string,
): Step<{ bucket: string; object: StoredObject | undefined }> {
  const [row] =
    yield sql`SELECT o.*, b.id AS owner FROM buckets b LEFT JOIN objects o ON o.bucket = b.id AND o.key = ${utf8(key)}
    WHERE b.name = ${name} AND b.tenant = ${tenant}`
  if (!row) throw storageError('bucket.missing', { bucket: name })
  return { bucket: row.owner as string, object: row.version === null ? undefined : objectOf(row) }
}

/**
 * Whether a conditional write may go on.
 * @throws object.precondition, or object.missing where If-Match names an object that is not there
 */
export function checkCondition(
  current: Pick<ObjectInfo, 'etag'> | undefined,
  condition: WriteCondition,
  bucket: string,
  key: string,
): void {
  if (condition.ifNoneMatch && current) throw storageError('object.precondition', { condition: 'If-None-Match' })
  if (condition.ifMatch === undefined) return
  if (!current) throw storageError('object.missing', { bucket, key })
  if (condition.ifMatch !== '*' && condition.ifMatch !== current.etag) {
    throw storageError('object.precondition', { condition: 'If-Match' })
  }
}

/** Makes this version the object. What it replaces is dead from here on; its bytes stay readable until `garbageNotBefore`. */
export function* putObjectRow(
  bucket: string,
  object: StoredObject,
  current: CurrentObject | undefined,
  garbageNotBefore: number,
): Step<void> {
  if (current) yield* buryVersion(current, garbageNotBefore)
  const checksum = object.checksum ? JSON.stringify(object.checksum) : null
  const { packed } = object
  const key = utf8(object.key)
  yield sql`INSERT INTO objects (bucket, key, version, size, etag, modified_at, headers, checksum, multipart,
      pack, slot, shard, start, epoch, data_key, commitment)
    VALUES (${bucket}, ${key}, ${object.version}, ${object.size}, ${object.etag}, ${object.modifiedAt},
      ${JSON.stringify(object.headers)}, ${checksum}, ${object.multipart ? 1 : 0},
      ${packed?.pack ?? null}, ${packed?.slot ?? null}, ${packed?.shard ?? null}, ${packed?.start ?? null},
      ${packed?.epoch ?? null}, ${packed?.dataKey ?? null}, ${packed?.commitment ?? null})
    ON CONFLICT (bucket, key) DO UPDATE SET version = excluded.version, size = excluded.size, etag = excluded.etag,
      modified_at = excluded.modified_at, headers = excluded.headers, checksum = excluded.checksum, multipart = excluded.multipart,
      pack = excluded.pack, slot = excluded.slot, shard = excluded.shard, start = excluded.start, epoch = excluded.epoch,
      data_key = excluded.data_key, commitment = excluded.commitment`
  if (packed) yield* insertSlot(packed.pack, packed.slot, bucket, key)
}

export function* deleteObjectRow(bucket: string, object: CurrentObject, garbageNotBefore: number): Step<void> {
  yield sql`DELETE FROM objects WHERE bucket = ${bucket} AND key = ${utf8(object.key)}`
  yield* buryVersion(object, garbageNotBefore)
}

export function* partsOf(version: string): Step<StoredPart[]> {
  const rows = yield sql`SELECT * FROM parts WHERE version = ${version} ORDER BY number`
  return rows.map(partOf)
}

/** Objects at or behind `from` and before `to`, at most `limit`, in byte order of their keys. */
export function* objectsFrom(
  bucket: string,
  from: Uint8Array,
  to: Uint8Array | undefined,
  limit: number,
): Step<ListedObject[]> {
  const rows = to
    ? yield sql`SELECT key, size, etag, modified_at, checksum FROM objects
        WHERE bucket = ${bucket} AND key >= ${from} AND key < ${to} ORDER BY key LIMIT ${limit}`
    : yield sql`SELECT key, size, etag, modified_at, checksum FROM objects
        WHERE bucket = ${bucket} AND key >= ${from} ORDER BY key LIMIT ${limit}`
  return rows.map((row) => ({
    key: fromUtf8(row.key as Uint8Array),
    size: row.size as number,
    etag: row.etag as string,
    modifiedAt: row.modified_at as number,
    ...checksumOf(row),
  }))
}

/** The first key at or behind `from` and before `to`: a listing that rolls keys up looks at nothing else of them. */
export function* firstKeyFrom(bucket: string, from: Uint8Array, to: Uint8Array | undefined): Step<string | undefined> {
  const [row] = to
    ? yield sql`SELECT key FROM objects WHERE bucket = ${bucket} AND key >= ${from} AND key < ${to} ORDER BY key LIMIT 1`
    : yield sql`SELECT key FROM objects WHERE bucket = ${bucket} AND key >= ${from} ORDER BY key LIMIT 1`
  return row && fromUtf8(row.key as Uint8Array)
}

export type ObjectPlace = { bucket: string; key: Uint8Array }

/** Counts the objects behind `after`, at most `limit`. @returns how many, and the last of them when there may be more */
export function* countObjects(after: ObjectPlace, limit: number): Step<{ objects: number; last?: ObjectPlace }> {
  const { bucket, key } = after
  const [last] = yield sql`SELECT bucket, key FROM objects WHERE (bucket, key) > (${bucket}, ${key})
    ORDER BY bucket, key LIMIT 1 OFFSET ${limit - 1}`
  if (last) return { objects: limit, last: last as ObjectPlace }
  const [rest] = yield sql`SELECT COUNT(*) AS n FROM objects WHERE (bucket, key) > (${bucket}, ${key})`
  return { objects: Number(rest?.n ?? 0) }
}

/** Counts the objects of some buckets. @returns undefined when there are more than `most` */
export function* countObjectsOf(buckets: readonly string[], most: number): Step<number | undefined> {
  let objects = 0
  for (const bucket of buckets) {
    const limit = most - objects + 1
    const [row] =
      yield sql`SELECT COUNT(*) AS n FROM (SELECT key FROM objects WHERE bucket = ${bucket} LIMIT ${limit}) AS counted`
    objects += Number(row?.n ?? 0)
    if (objects > most) return undefined
  }
  return objects
}

export function partOf(row: Row): StoredPart {
  return {
    number: row.number as number,
    body: row.body as string,
    size: row.size as number,
    etag: row.etag as string,
    modifiedAt: row.modified_at as number,
    ...checksumOf(row),
  }
}

export function checksumOf(row: Row): { checksum?: Checksum } {
  return typeof row.checksum === 'string' ? { checksum: JSON.parse(row.checksum) as Checksum } : {}
}

function* buryVersion(object: CurrentObject, notBefore: number): Step<void> {
  const { packed } = object
  if (packed) return yield* dropSlot(packed.pack, packed.slot, object.size, notBefore)
  if (!object.multipart) return yield* buryBody(object.version, notBefore)
  const parts = yield sql`DELETE FROM parts WHERE version = ${object.version} RETURNING body`
  for (const { body } of parts) yield* buryBody(body as string, notBefore)
}

export function objectOf(row: Row): StoredObject {
  return {
    key: fromUtf8(row.key as Uint8Array),
    version: row.version as string,
    size: row.size as number,
    etag: row.etag as string,
    modifiedAt: row.modified_at as number,
    headers: JSON.parse(row.headers as string) as ObjectHeaders,
    multipart: row.multipart === 1,
    ...checksumOf(row),
    ...(row.pack !== null && { packed: packedOf(row) }),
  }
}

function packedOf(row: Row): Packed {
  return {
    pack: row.pack as string,
    slot: row.slot as number,
    shard: (row.shard as number | null) ?? undefined,
    start: row.start as number,
    epoch: row.epoch as number,
    dataKey: row.data_key as Uint8Array,
    commitment: row.commitment as Uint8Array,
  }
}
