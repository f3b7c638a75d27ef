import type { Call } from '#kernel'
import { freshName, type Ground } from '../ground.ts'
import { getBucket, holdBucket } from '../index/buckets.store.ts'
import {
  deleteUpload,
  dropPart,
  findPart,
  getUpload,
  insertUpload,
  partsAfter,
  putPartRow,
  type StoredUpload,
} from '../index/uploads.store.ts'
import { partsOf } from '../index/objects.store.ts'
import type { StoredPart } from '../index/objects.store.ts'
import type { ObjectStorage, PartInfo, Upload } from '../object.ts'
import { account } from '../quota/account.ts'
import { partChange, partsGone } from '../quota/changes.ts'
import { checkRoom } from '../quota/room.ts'
import { commitBody } from '../write/commit-body.ts'
import { writeBody } from '../write/write-body.ts'

type Input<Verb extends keyof ObjectStorage> = Parameters<ObjectStorage[Verb]>[1]

/** Opens an upload. Its id becomes the object's version, so that completing it moves no row of a part. */
export async function createUpload(ground: Ground, call: Call, input: Input<'createUpload'>): Promise<Upload> {
  const { key, headers, checksum } = input
  const upload: StoredUpload = {
    id: freshName(ground),
    key,
    createdAt: ground.clock.now(),
    headers,
    ...(checksum && { checksum }),
  }
  await ground.index.transact(function* () {
    const bucket = yield* holdBucket(call.tenant, input.bucket)
    yield* insertUpload(bucket.id, upload)
  })
  return withoutHeaders(upload)
}

/** Stores one part under its number; a part of that number that was there before becomes garbage in the same step. */
export async function putPart(ground: Ground, call: Call, input: Input<'putPart'>): Promise<PartInfo> {
  const { key, upload, number } = input
  const bucket = await ground.index.read(function* () {
    const bucket = yield* getBucket(call.tenant, input.bucket)
    yield* getUpload(bucket.id, key, upload)
    if (bucket.quotas !== 0) {
      const earlier = yield* findPart(upload, number)
      yield* checkRoom(ground, bucket, partChange(bucket.id, upload, input.body.size, earlier?.size ?? 0))
    }
    return bucket
  })
  const body = freshName(ground)
  const written = await writeBody(ground, call, bucket, body, input.body)
  const part: StoredPart = {
    number,
    body,
    size: written.size,
    etag: written.etag,
    modifiedAt: ground.clock.now(),
    ...(written.checksum && { checksum: written.checksum }),
  }
  return commitBody(
    ground,
    bucket,
    written,
    function* (ledger, counted) {
      yield* getUpload(bucket.id, key, upload)
      const earlier = yield* findPart(upload, number)
      yield* ledger.add(counted, [partChange(bucket.id, upload, part.size, earlier?.size ?? 0)])
      yield* putPartRow(upload, part, earlier, ground.clock.now() + ground.limits.readerGraceMs)
      return part
    },
    function* () {
      const [found] = yield* partsAfter(upload, number - 1, 1)
      return found?.body === body ? found : undefined
    },
  )
}

export function listParts(
  ground: Ground,
  call: Call,
  input: Input<'listParts'>,
): Promise<{ upload: Upload; parts: PartInfo[]; more: boolean }> {
  return ground.index.read(function* () {
    const bucket = yield* getBucket(call.tenant, input.bucket)
    const upload = yield* getUpload(bucket.id, input.key, input.upload)
    const parts = yield* partsAfter(upload.id, input.after, input.limit + 1)
    return { upload: withoutHeaders(upload), parts: parts.slice(0, input.limit), more: parts.length > input.limit }
  })
}

/** Forgets an upload; its parts become garbage. A part that is still being sent cannot be committed any more. */
export async function abortUpload(ground: Ground, call: Call, input: Input<'abortUpload'>): Promise<void> {
  await account(ground, function* (ledger) {
    const bucket = yield* holdBucket(call.tenant, input.bucket)
    const upload = yield* getUpload(bucket.id, input.key, input.upload)
    const notBefore = ground.clock.now() + ground.limits.readerGraceMs
    const parts = yield* partsOf(upload.id)
    yield* ledger.add(bucket, [partsGone(bucket.id, upload.id, parts)])
    for (const part of parts) yield* dropPart(upload.id, part, notBefore)
    yield* deleteUpload(upload.id)
  })
}

function withoutHeaders({ headers: _, ...upload }: StoredUpload): Upload {
  return upload
}
