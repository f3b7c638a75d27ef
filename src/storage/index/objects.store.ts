import { fromUtf8, type Row, type Statement, sql, utf8 } from '#kernel'
import { storageError } from '../errors.ts'
import type { Checksum, ObjectHeaders, ObjectInfo, PartInfo, WriteCondition } from '../object.ts'

type Step<T> = Generator<Statement, T, Row[]>

export type StoredObject = ObjectInfo & { multipart: boolean }
export type StoredPart = PartInfo & { body: string }

export function* findObject(bucket: string, key: string): Step<StoredObject | undefined> {
  const [row] = yield sql`SELECT * FROM objects WHERE bucket = ${bucket} AND key = ${utf8(key)}`
  return row && objectOf(row)
}

/**
 * Whether a conditional write may go on.
 * @throws object.precondition, or object.missing where If-Match names an object that is not there
 */
export function checkCondition(
  current: ObjectInfo | undefined,
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
  current: StoredObject | undefined,
  garbageNotBefore: number,
): Step<void> {
  if (current) yield* buryVersion(current, garbageNotBefore)
  const checksum = object.checksum ? JSON.stringify(object.checksum) : null
  yield sql`INSERT INTO objects (bucket, key, version, size, etag, modified_at, headers, checksum, multipart)
    VALUES (${bucket}, ${utf8(object.key)}, ${object.version}, ${object.size}, ${object.etag}, ${object.modifiedAt},
      ${JSON.stringify(object.headers)}, ${checksum}, ${object.multipart ? 1 : 0})
    ON CONFLICT (bucket, key) DO UPDATE SET version = excluded.version, size = excluded.size, etag = excluded.etag,
      modified_at = excluded.modified_at, headers = excluded.headers, checksum = excluded.checksum, multipart = excluded.multipart`
}

export function* deleteObjectRow(bucket: string, object: StoredObject, garbageNotBefore: number): Step<void> {
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
): Step<StoredObject[]> {
  const rows = to
    ? yield sql`SELECT * FROM objects WHERE bucket = ${bucket} AND key >= ${from} AND key < ${to} ORDER BY key LIMIT ${limit}`
    : yield sql`SELECT * FROM objects WHERE bucket = ${bucket} AND key >= ${from} ORDER BY key LIMIT ${limit}`
  return rows.map(objectOf)
}

/** The first key at or behind `from` and before `to`: a listing that rolls keys up looks at nothing else of them. */
export function* firstKeyFrom(bucket: string, from: Uint8Array, to: Uint8Array | undefined): Step<string | undefined> {
  const [row] = to
    ? yield sql`SELECT key FROM objects WHERE bucket = ${bucket} AND key >= ${from} AND key < ${to} ORDER BY key LIMIT 1`
    : yield sql`SELECT key FROM objects WHERE bucket = ${bucket} AND key >= ${from} ORDER BY key LIMIT 1`
  return row && fromUtf8(row.key as Uint8Array)
}

/** Bytes that nothing refers to any more; they stay until readers that began earlier are surely done. */
export function* buryBody(body: string, notBefore: number): Step<void> {
  yield sql`INSERT INTO dead_bodies (body, not_before) VALUES (${body}, ${notBefore}) ON CONFLICT (body) DO NOTHING`
}

export function* dueBodies(now: number, limit: number): Step<string[]> {
  const rows = yield sql`SELECT body FROM dead_bodies WHERE not_before <= ${now} ORDER BY not_before LIMIT ${limit}`
  return rows.map((row) => row.body as string)
}

export function* deleteDeadBody(body: string): Step<void> {
  yield sql`DELETE FROM dead_bodies WHERE body = ${body}`
}

export function* countObjects(): Step<{ objects: number; bytes: number }> {
  const [row] = yield sql`SELECT COUNT(*) AS objects, COALESCE(SUM(size), 0) AS bytes FROM objects`
  return { objects: Number(row?.objects ?? 0), bytes: Number(row?.bytes ?? 0) }
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

function* buryVersion(object: StoredObject, notBefore: number): Step<void> {
  if (!object.multipart) return yield* buryBody(object.version, notBefore)
  const parts = yield sql`DELETE FROM parts WHERE version = ${object.version} RETURNING body`
  for (const { body } of parts) yield* buryBody(body as string, notBefore)
}

function objectOf(row: Row): StoredObject {
  return {
    key: fromUtf8(row.key as Uint8Array),
    version: row.version as string,
    size: row.size as number,
    etag: row.etag as string,
    modifiedAt: row.modified_at as number,
    headers: JSON.parse(row.headers as string) as ObjectHeaders,
    multipart: row.multipart === 1,
    ...checksumOf(row),
  }
}
