import { appendFact } from '#journal'
import type { Call, Row, Statement } from '#kernel'
import { enqueueJob, newJobId } from '#work'
import type { Ground } from '../ground.ts'
import { getBucket } from '../index/buckets.store.ts'
import {
  addTaken,
  deleteQuota,
  findQuota,
  insertQuota,
  markBucket,
  markBuckets,
  negative,
  type NewQuota,
  setLimits,
  takeBack,
} from '../index/quotas.store.ts'
import { countKind, countName } from './count-job.ts'
import { bucketScope, quotaBits, tenantScope } from './scopes.ts'

/** Undefined: without a limit. Without any there is no quota. */
export type Limits = { bytesLimit: number | undefined; objectsLimit: number | undefined }

/** Says how much may be stored in a bucket. @throws bucket.missing */
export async function setBucketQuota(
  ground: Ground,
  call: Call,
  { bucket: name, ...limits }: Limits & { bucket: string },
): Promise<void> {
  await set(ground, call, limits, function* () {
    const { id } = yield* getBucket(call.tenant, name)
    return { scope: bucketScope(id), tenant: call.tenant, bucket: id, about: name }
  })
}

/** Says how much a tenant may store in all of its buckets together. It is not asked whether there is such a tenant. */
export async function setTenantQuota(
  ground: Ground,
  call: Call,
  { tenant, ...limits }: Limits & { tenant: string },
): Promise<void> {
  await set(ground, call, limits, function* () {
    return { scope: tenantScope(tenant), tenant, bucket: undefined, about: tenant }
  })
}

type Named = Pick<NewQuota, 'scope' | 'tenant' | 'bucket'> & { about: string }

/**
 * In one transaction with the marks in the buckets' rows, for which it waits until nobody writes into them: who commits
 * afterwards counts. What was stored before is counted by a job.
 */
async function set(
  ground: Ground,
  call: Call,
  limits: Limits,
  find: () => Generator<Statement, Named, Row[]>,
): Promise<void> {
  const now = ground.clock.now()
  const job = newJobId(ground)
  await ground.index.transact(function* () {
    const named = yield* find()
    const { scope, tenant, bucket } = named
    const quota: NewQuota = { scope, tenant, bucket, ...limits, setAt: now }
    const bits = bucket === undefined ? quotaBits.tenant : quotaBits.bucket
    const mark = (clear: number, set: number) =>
      bucket === undefined ? markBuckets(tenant, clear, set) : markBucket(bucket, clear, set)
    if (limits.bytesLimit === undefined && limits.objectsLimit === undefined) {
      yield* deleteQuota(scope)
      yield* mark(bits.has | bits.counting, 0)
    } else if (yield* findQuota(scope)) {
      yield* setLimits(quota)
      // What leases hold was granted under the limits of before.
      yield* addTaken(scope, negative(yield* takeBack(scope, undefined)))
    } else {
      yield* insertQuota(quota)
      yield* mark(0, bits.has | bits.counting)
      const { about } = named
      const asked = { id: job, kind: countKind, tenant, about, input: { scope }, single: countName(scope), now }
      yield* enqueueJob(asked)
    }
    yield* state(ground, call, named, limits, now)
  })
}

function* state(ground: Ground, call: Call, { tenant, bucket, about }: Named, limits: Limits, at: number) {
  const { bytesLimit, objectsLimit } = limits
  const of = bytesLimit === undefined ? (objectsLimit === undefined ? 'nothing' : 'objects') : 'bytes'
  const limited = { limits: of === 'bytes' && objectsLimit !== undefined ? 'both' : of } as const
  const amounts = { bytes: bytesLimit ?? 0, objects: objectsLimit ?? 0 }
  const by = { actor: call.actor, tenant: call.tenant, at }
  if (bucket === undefined) {
    yield* appendFact(ground.journal, {
      topic: 'tenant.quota',
      about: tenant,
      ...by,
      facts: { ...limited, ...amounts },
    })
  } else {
    const facts = { name: about, ...limited, ...amounts }
    yield* appendFact(ground.journal, { topic: 'bucket.quota', about: bucket, ...by, facts })
  }
}
