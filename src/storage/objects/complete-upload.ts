import { createHash } from 'node:crypto'
import type { Call, Row, Statement } from '#kernel'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import { holdBucket } from '../index/buckets.store.ts'
import {
  checkCondition,
  findCurrent,
  partsOf,
  putObjectRow,
  type StoredObject,
  type StoredPart,
} from '../index/objects.store.ts'
import { deleteUpload, dropPart, findFinishedUpload, getUpload, insertFinishedUpload } from '../index/uploads.store.ts'
import type { ObjectInfo, ObjectStorage } from '../object.ts'
import { account } from '../quota/account.ts'
import { objectChange, partsGone } from '../quota/changes.ts'

type Input = Parameters<ObjectStorage['completeUpload']>[1]

const smallestPart = 5 * 1024 * 1024

/**
 * Makes an object of an upload in one transaction. Repeated within a day it answers the same again, because a client
 * whose answer was lost asks again.
 */
export function completeUpload(ground: Ground, call: Call, input: Input): Promise<ObjectInfo> {
  const now = ground.clock.now()
  return account(ground, function* (ledger) {
    const bucket = yield* holdBucket(call.tenant, input.bucket)
    const finished = yield* findFinishedUpload(bucket.id, input.key, input.upload)
    if (finished) return finished
    const upload = yield* getUpload(bucket.id, input.key, input.upload)
    const parts = yield* partsOf(upload.id)
    const named = chooseParts(parts, input)
    const current = yield* findCurrent(bucket.id, input.key)
    checkCondition(current, input.condition, bucket.name, input.key)
    const checksum = input.combine(named.parts)
    const object: StoredObject = {
      key: input.key,
      version: upload.id,
      size: named.parts.reduce((sum, part) => sum + part.size, 0),
      etag: etagOf(named.parts),
      modifiedAt: now,
      headers: upload.headers,
      multipart: true,
      ...(checksum && { checksum }),
    }
    yield* ledger.add(bucket, [objectChange(bucket.id, object, current), partsGone(bucket.id, upload.id, parts)])
    yield* putObjectRow(bucket.id, object, current, now + ground.limits.readerGraceMs)
    yield* finish(bucket.id, object, named.unused, now + ground.limits.readerGraceMs)
    return object
  })
}

function* finish(
  bucket: string,
  object: StoredObject,
  unused: StoredPart[],
  notBefore: number,
): Generator<Statement, void, Row[]> {
  for (const part of unused) yield* dropPart(object.version, part, notBefore)
  yield* deleteUpload(object.version)
  yield* insertFinishedUpload(bucket, object.version, object, object.modifiedAt)
}

/** @throws part.order, part.invalid, part.small */
function chooseParts(stored: StoredPart[], input: Input): { parts: StoredPart[]; unused: StoredPart[] } {
  const byNumber = new Map(stored.map((part) => [part.number, part]))
  const parts: StoredPart[] = []
  let last = 0
  for (const named of input.parts) {
    if (named.number <= last) throw storageError('part.order')
    last = named.number
    const part = byNumber.get(named.number)
    const same = part?.etag === named.etag && (named.checksum === undefined || named.checksum === part.checksum?.value)
    if (!part || !same) throw storageError('part.invalid', { number: named.number })
    parts.push(part)
    byNumber.delete(named.number)
  }
  const small = parts.slice(0, -1).find((part) => part.size < smallestPart)
  if (small) throw storageError('part.small', { number: small.number, size: small.size })
  return { parts, unused: [...byNumber.values()] }
}

/** S3's ETag of a multipart object: MD5 of the parts' MD5s, or of what they have instead, and how many there are. */
function etagOf(parts: StoredPart[]): string {
  const md5 = createHash('md5')
  for (const part of parts) md5.update(Buffer.from(part.etag.slice(0, 32), 'hex'))
  return `${md5.digest('hex')}-${parts.length}`
}
