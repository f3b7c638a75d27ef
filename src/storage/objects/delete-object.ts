import type { Call } from '#kernel'
import type { Ground } from '../ground.ts'
import { holdBucket } from '../index/buckets.store.ts'
import { checkCondition, deleteObjectRow, findCurrent } from '../index/objects.store.ts'
import type { ObjectStorage } from '../object.ts'
import { account } from '../quota/account.ts'
import { deletion } from '../quota/changes.ts'

/** Takes an object out of the index. Its shards go to the providers' trash later, when no reader can be at them. */
export async function deleteObject(
  ground: Ground,
  call: Call,
  input: Parameters<ObjectStorage['deleteObject']>[1],
): Promise<void> {
  await account(
    ground,
    function* (ledger) {
      const bucket = yield* holdBucket(call.tenant, input.bucket)
      const current = yield* findCurrent(bucket.id, input.key)
      checkCondition(current, input.condition, bucket.name, input.key)
      if (!current) return
      yield* ledger.add(bucket, [deletion(bucket.id, current)])
      yield* deleteObjectRow(bucket.id, current, ground.clock.now() + ground.limits.readerGraceMs)
      // What it decides by is the object's row, which it takes away: who changes that meanwhile makes one of the two go again.
    },
    'snapshot',
  )
}
