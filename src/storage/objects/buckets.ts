import { createHash } from 'node:crypto'
import { appendFact, type FactsOf, once, type Topic } from '#journal'
import { type Call, canonicalJson } from '#kernel'
import { defaultPolicy, type Policy, unsatisfiable } from '#pool'
import { enqueueJob, newJobId } from '#work'
import { storageError } from '../errors.ts'
import { freshName, type Ground } from '../ground.ts'
import * as store from '../index/buckets.store.ts'
import { deleteQuota, findQuota, type Quota } from '../index/quotas.store.ts'
import { promiseErasure } from '../index/erasures.store.ts'
import { beginKeyEnd } from '../index/key-moves.store.ts'
import { beginPolicyMove } from '../index/packs.store.ts'
import type { Bucket, Etags } from '../object.ts'
import { bucketScope, quotaBits, tenantScope } from '../quota/scopes.ts'
import { moveKind, moveName } from '../repair/move-bucket.ts'

/** Creates a bucket under a policy that the pool can satisfy, once per wish. @throws policy.unsatisfiable with the reason per provider, kit.untested */
export async function createBucket(
  ground: Ground,
  call: Call,
  { name, policy = defaultPolicy, etags = 'md5' }: { name: string; policy?: Policy; etags?: Etags },
): Promise<Bucket> {
  await ground.kits?.check()
  checkSatisfiable(ground, policy)
  const bucket: Bucket = {
    id: freshName(ground),
    name,
    tenant: call.tenant,
    createdAt: ground.clock.now(),
    policy,
    policyEpoch: 1,
    etags,
    revision: 1,
    keyFloor: 0,
    quotas: 0,
  }
  return ground.index.transact(() =>
    once(call, 'bucket.create', function* () {
      const made = { ...bucket, quotas: quotasOfNew(yield* findQuota(tenantScope(call.tenant))) }
      yield* store.insertBucket(made)
      yield* state(ground, call, bucket, 'bucket.created', { ...policyFacts(bucket), etags })
      return made
    }),
  )
}

/** Deletes an empty bucket. Its keys are destroyed once readers that began earlier are done. @throws bucket.filled */
export async function deleteBucket(ground: Ground, call: Call, name: string): Promise<void> {
  await ground.index.transact(function* () {
    const bucket = yield* store.getBucket(call.tenant, name)
    yield* store.deleteBucket(bucket)
    yield* deleteQuota(bucketScope(bucket.id))
    const now = ground.clock.now()
    yield* beginKeyEnd(bucket.id, now, now + ground.limits.readerGraceMs)
    yield* promiseErasure(bucket.tenant, { scope: bucket.id, bucket: name, cause: 'ended', before: now })
    if (ground.forgetBucket) yield* ground.forgetBucket(name)
    yield* state(ground, call, bucket, 'bucket.deleted', { name })
  }, 'committed')
}

/**
 * Sets the policy; what lies elsewhere than it allows is moved by a job.
 * @throws policy.unsatisfiable, bucket.changed when it has another revision than the expected one
 */
export async function setBucketPolicy(
  ground: Ground,
  call: Call,
  { name, policy, expected }: { name: string; policy: Policy; expected?: number },
): Promise<Bucket> {
  checkSatisfiable(ground, policy)
  const now = ground.clock.now()
  const id = newJobId(ground)
  return ground.index.transact(function* () {
    const seen = yield* store.getBucketToChange(call.tenant, name, expected)
    const bucket = yield* store.setBucketPolicy(seen, policy)
    yield* beginPolicyMove(bucket.id)
    const input = { bucket: bucket.id }
    yield* enqueueJob({
      id,
      kind: moveKind,
      tenant: bucket.tenant,
      about: name,
      input,
      single: moveName(bucket.id),
      now,
    })
    yield* state(ground, call, bucket, 'bucket.policy', policyFacts(bucket))
    return bucket
  })
}

/** What is stored keeps the ETag that it has. @throws bucket.changed when it has another revision than the expected one */
export async function setBucketEtags(
  ground: Ground,
  call: Call,
  { name, etags, expected }: { name: string; etags: Etags; expected?: number },
): Promise<Bucket> {
  return ground.index.transact(function* () {
    const seen = yield* store.getBucketToChange(call.tenant, name, expected)
    const bucket = yield* store.setBucketEtags(seen, etags)
    yield* state(ground, call, bucket, 'bucket.etags', { name, etags })
    return bucket
  })
}

/** What is put into a new bucket counts against its tenant's quota. */
function quotasOfNew(quota: Quota | undefined): number {
  if (!quota) return 0
  return quotaBits.tenant.has | (quota.countedTo ? quotaBits.tenant.counting : 0)
}

function checkSatisfiable(ground: Ground, policy: Policy): void {
  const refusal = unsatisfiable(ground.directory(), policy)
  if (!refusal) return
  const refused = Object.fromEntries(refusal.refused.map(({ provider, reason }) => [provider, reason]))
  throw storageError('policy.unsatisfiable', { reason: refusal.reason, refused })
}

/** Stated in the transaction that brings it about; upper planes learn of it there too. */
function state<T extends Topic>(ground: Ground, { tenant, actor }: Call, bucket: Bucket, topic: T, facts: FactsOf<T>) {
  return appendFact<T>(ground.journal, { topic, about: bucket.id, actor, tenant, at: ground.clock.now(), facts })
}

function policyFacts({ name, policy, policyEpoch }: Bucket) {
  return {
    name,
    policy: createHash('sha256')
      .update(canonicalJson({ ...policy }))
      .digest('hex'),
    policyEpoch,
    jurisdictions: policy.jurisdictions,
    ownersRefused: policy.ownersRefused,
    losses: policy.survive.providers,
  }
}
