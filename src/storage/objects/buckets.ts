import { appendFact, type Fact } from '#journal'
import type { Call } from '#kernel'
import { defaultPolicy, type Policy, unsatisfiable } from '#pool'
import { storageError } from '../errors.ts'
import { freshName, type Ground } from '../ground.ts'
import * as store from '../index/buckets.store.ts'
import { beginPolicyMove } from '../index/packs.store.ts'
import type { Bucket, Etags } from '../object.ts'

/** Creates a bucket under a policy that the pool can satisfy. @throws policy.unsatisfiable with the reason per provider */
export async function createBucket(
  ground: Ground,
  call: Call,
  { name, policy = defaultPolicy, etags = 'md5' }: { name: string; policy?: Policy; etags?: Etags },
): Promise<Bucket> {
  checkSatisfiable(ground, policy)
  const bucket: Bucket = {
    id: freshName(ground),
    name,
    tenant: call.tenant,
    createdAt: ground.clock.now(),
    policy,
    policyEpoch: 1,
    etags,
  }
  await ground.index.transact(function* () {
    yield* store.insertBucket(bucket)
    yield* appendFact(factOf(ground, call, 'bucket.created', bucket))
  })
  return bucket
}

/** Deletes an empty bucket. @throws bucket.filled */
export async function deleteBucket(ground: Ground, call: Call, name: string): Promise<void> {
  await ground.index.transact(function* () {
    const bucket = yield* store.getBucket(call.tenant, name)
    yield* store.deleteBucket(bucket)
    yield* appendFact(factOf(ground, call, 'bucket.deleted', bucket))
  }, 'committed')
}

/** Sets the policy; what lies elsewhere than it allows is moved by repair. @throws policy.unsatisfiable */
export async function setBucketPolicy(
  ground: Ground,
  call: Call,
  { name, policy }: { name: string; policy: Policy },
): Promise<Bucket> {
  checkSatisfiable(ground, policy)
  return ground.index.transact(function* () {
    const bucket = yield* store.setBucketPolicy(yield* store.getBucket(call.tenant, name), policy)
    yield* beginPolicyMove(bucket.id)
    yield* appendFact(factOf(ground, call, 'bucket.policy', bucket))
    return bucket
  })
}

/** What is stored keeps the ETag that it has. */
export async function setBucketEtags(
  ground: Ground,
  call: Call,
  { name, etags }: { name: string; etags: Etags },
): Promise<Bucket> {
  return ground.index.transact(function* () {
    const bucket = yield* store.setBucketEtags(yield* store.getBucket(call.tenant, name), etags)
    yield* appendFact(factOf(ground, call, 'bucket.etags', bucket))
    return bucket
  })
}

function checkSatisfiable(ground: Ground, policy: Policy): void {
  const refusal = unsatisfiable(ground.directory(), policy)
  if (!refusal) return
  const refused = Object.fromEntries(refusal.refused.map(({ provider, reason }) => [provider, reason]))
  throw storageError('policy.unsatisfiable', { reason: refusal.reason, refused })
}

/** What upper planes learn of a bucket: stated in the transaction that brings it about, chained, never changed. */
function factOf(ground: Ground, call: Call, topic: string, bucket: Bucket): Fact {
  const { id, name, tenant, policy, policyEpoch, etags } = bucket
  const facts = { bucket: id, tenant, actor: call.actor, policyEpoch, policy: { ...policy }, etags }
  return { topic, about: name, at: ground.clock.now(), facts }
}
