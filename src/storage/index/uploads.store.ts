import { fromUtf8, type Row, type Statement, sql, utf8 } from '#kernel'
import { storageError } from '../errors.ts'
import type { ObjectHeaders, ObjectInfo, Upload } from '../object.ts'
import { buryBody } from './bodies.store.ts'
import { partOf, type StoredPart } from './objects.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

export type StoredUpload = Upload & { headers: ObjectHeaders }

export function* insertUpload(bucket: string, upload: StoredUpload): Step<void> {
  const checksum = upload.checksum ? JSON.stringify(upload.checksum) : null
  yield sql`INSERT INTO uploads (id, bucket, key, created_at, headers, checksum)
    VALUES (${upload.id}, ${bucket}, ${utf8(upload.key)}, ${upload.createdAt}, ${JSON.stringify(upload.headers)}, ${checksum})`
}

/** @throws upload.missing when it was completed, aborted, or is of another key */
export function* getUpload(bucket: string, key: string, id: string): Step<StoredUpload> {
  const [row] = yield sql`SELECT * FROM uploads WHERE id = ${id} AND bucket = ${bucket} AND key = ${utf8(key)}`
  if (!row) throw storageError('upload.missing', { upload: id })
  return uploadOf(row)
}

export function* uploadsFrom(
  bucket: string,
  key: Uint8Array,
  id: string,
  to: Uint8Array | undefined,
  limit: number,
): Step<StoredUpload[]> {
  const rows = to
    ? yield sql`SELECT * FROM uploads WHERE bucket = ${bucket} AND (key > ${key} OR (key = ${key} AND id > ${id})) AND key < ${to}
        ORDER BY key, id LIMIT ${limit}`
    : yield sql`SELECT * FROM uploads WHERE bucket = ${bucket} AND (key > ${key} OR (key = ${key} AND id > ${id}))
        ORDER BY key, id LIMIT ${limit}`
  return rows.map(uploadOf)
}

/** What a write of a part must know of the one that it replaces. */
export function* findPart(upload: string, number: number): Step<Pick<StoredPart, 'body' | 'size'> | undefined> {
  const [row] = yield sql`SELECT body, size FROM parts WHERE version = ${upload} AND number = ${number}`
  return row && { body: row.body as string, size: row.size as number }
}

/** Inserts a part as it arrives; the bytes of an earlier one of this number become garbage in the same step. */
export function* putPartRow(
  upload: string,
  part: StoredPart,
  earlier: Pick<StoredPart, 'body'> | undefined,
  garbageNotBefore: number,
): Step<void> {
  if (earlier) yield* buryBody(earlier.body, garbageNotBefore)
  const checksum = part.checksum ? JSON.stringify(part.checksum) : null
  yield sql`INSERT INTO parts (version, number, body, size, etag, modified_at, checksum)
    VALUES (${upload}, ${part.number}, ${part.body}, ${part.size}, ${part.etag}, ${part.modifiedAt}, ${checksum})
    ON CONFLICT (version, number) DO UPDATE SET body = excluded.body, size = excluded.size, etag = excluded.etag,
      modified_at = excluded.modified_at, checksum = excluded.checksum`
}

export function* partsAfter(upload: string, after: number, limit: number): Step<StoredPart[]> {
  const rows =
    yield sql`SELECT * FROM parts WHERE version = ${upload} AND number > ${after} ORDER BY number LIMIT ${limit}`
  return rows.map(partOf)
}

/** Drops the parts that the completed object does not use. */
export function* dropPart(upload: string, part: StoredPart, garbageNotBefore: number): Step<void> {
  yield sql`DELETE FROM parts WHERE version = ${upload} AND number = ${part.number}`
  yield* buryBody(part.body, garbageNotBefore)
}

export function* deleteUpload(upload: string): Step<boolean> {
  const rows = yield sql`DELETE FROM uploads WHERE id = ${upload} RETURNING id`
  return rows.length === 1
}

/** Keeps the answer of a completion, so that a repeated request gets the same one. */
export function* insertFinishedUpload(bucket: string, upload: string, object: ObjectInfo, now: number): Step<void> {
  yield sql`INSERT INTO finished_uploads (id, bucket, key, result, finished_at)
    VALUES (${upload}, ${bucket}, ${utf8(object.key)}, ${JSON.stringify(object)}, ${now})`
}

export function* findFinishedUpload(bucket: string, key: string, upload: string): Step<ObjectInfo | undefined> {
  const [row] =
    yield sql`SELECT result FROM finished_uploads WHERE id = ${upload} AND bucket = ${bucket} AND key = ${utf8(key)}`
  return row && (JSON.parse(row.result as string) as ObjectInfo)
}

export function* forgetFinishedUploads(before: number): Step<void> {
  yield sql`DELETE FROM finished_uploads WHERE finished_at < ${before}`
}

function uploadOf(row: Row): StoredUpload {
  return {
    id: row.id as string,
    key: fromUtf8(row.key as Uint8Array),
    createdAt: row.created_at as number,
    headers: JSON.parse(row.headers as string) as ObjectHeaders,
    ...(typeof row.checksum === 'string'
      ? { checksum: JSON.parse(row.checksum) as NonNullable<Upload['checksum']> }
      : {}),
  }
}
