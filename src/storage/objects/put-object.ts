import type { Call } from '#kernel'
import { freshName, type Ground } from '../ground.ts'
import { getBucket } from '../index/buckets.store.ts'
import { checkCondition, findCurrent, putObjectRow, type StoredObject } from '../index/objects.store.ts'
import type { ObjectInfo, ObjectStorage } from '../object.ts'
import type { Packer } from '../pack/packer.ts'
import { putPacked } from '../pack/put-packed.ts'
import { objectChange } from '../quota/changes.ts'
import { checkRoom } from '../quota/room.ts'
import { commitBody } from '../write/commit-body.ts'
import { writeBody } from '../write/write-body.ts'

/**
 * Stores one object. Resolves when its bytes are durable at providers that keep the bucket's promise, and in the index.
 * The condition and the quotas are looked at early, to spare the bytes, and decided in the commit.
 */
export async function putObject(
  ground: Ground,
  packer: Packer,
  call: Call,
  input: Parameters<ObjectStorage['putObject']>[1],
): Promise<ObjectInfo> {
  const { key, condition } = input
  const bucket = await ground.index.read(function* () {
    const bucket = yield* getBucket(call.tenant, input.bucket)
    if (condition.ifNoneMatch || condition.ifMatch !== undefined || bucket.quotas !== 0) {
      const current = yield* findCurrent(bucket.id, key)
      checkCondition(current, condition, bucket.name, key)
      yield* checkRoom(ground, bucket, objectChange(bucket.id, { key, size: input.body.size }, current))
    }
    return bucket
  })
  if (input.body.size > 0 && input.body.size <= ground.limits.packBytes)
    return putPacked(ground, packer, call, bucket, input)
  const version = freshName(ground)
  const written = await writeBody(ground, call, bucket, version, input.body)
  const object: StoredObject = {
    key,
    version,
    size: written.size,
    etag: written.etag,
    modifiedAt: ground.clock.now(),
    headers: input.headers,
    multipart: false,
    ...(written.checksum && { checksum: written.checksum }),
  }
  return commitBody(
    ground,
    bucket,
    written,
    function* (ledger, counted) {
      const current = yield* findCurrent(bucket.id, key)
      checkCondition(current, condition, bucket.name, key)
      yield* ledger.add(counted, [objectChange(bucket.id, object, current)])
      yield* putObjectRow(bucket.id, object, current, ground.clock.now() + ground.limits.readerGraceMs)
      return object
    },
    function* () {
      const current = yield* findCurrent(bucket.id, key)
      return current?.version === version ? object : undefined
    },
    // The condition is decided by the key's own row, which is written: of two that race for it one looks again.
    'snapshot',
  )
}
