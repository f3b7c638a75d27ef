import { type Row, type Statement, sharing, sql } from '#kernel'
import type { Policy } from '#pool'
import { storageError } from '../errors.ts'
import type { Bucket, BucketListInput, BucketPage, Etags } from '../object.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** @throws bucket.missing also for the bucket of another tenant */
export function* getBucket(tenant: string, name: string): Step<Bucket> {
  const [row] = yield sql`SELECT * FROM buckets WHERE name = ${name} AND tenant = ${tenant}`
  if (!row) throw storageError('bucket.missing', { bucket: name })
  return bucketOf(row)
}

/**
 * The same for whoever puts something into it: it stays, with its policy, until the transaction ends.
 * @throws bucket.missing
 */
export function* holdBucket(tenant: string, name: string): Step<Bucket> {
  const [row] = yield sharing(sql`SELECT * FROM buckets WHERE name = ${name} AND tenant = ${tenant}`)
  if (!row) throw storageError('bucket.missing', { bucket: name })
  return bucketOf(row)
}

export function* holdBucketById(id: string): Step<Bucket | undefined> {
  const [row] = yield sharing(sql`SELECT * FROM buckets WHERE id = ${id}`)
  return row && bucketOf(row)
}

/** What a write into a bucket is held against; undefined when it is gone. It stays until the transaction ends. */
export type BucketEpochs = Pick<Bucket, 'policyEpoch' | 'keyFloor' | 'quotas'>

export function* holdEpochs(id: string): Step<BucketEpochs | undefined> {
  const [row] = yield sharing(sql`SELECT policy_epoch, key_floor, quotas FROM buckets WHERE id = ${id}`)
  if (!row) return undefined
  const { policy_epoch: policyEpoch, key_floor: keyFloor, quotas } = row
  return { policyEpoch: policyEpoch as number, keyFloor: keyFloor as number, quotas: quotas as number }
}

/** Behind every name that begins so: names are of small letters, digits, dots and hyphens. */
const behind = (prefix: string) => `${prefix}~`

/** A page of a tenant's buckets whose names begin with `prefix` and come behind `after`. */
export function* listBuckets(tenant: string, { prefix, after, limit }: BucketListInput): Step<BucketPage> {
  const first = prefix > after ? prefix : after
  const rows = yield sql`SELECT * FROM buckets
    WHERE tenant = ${tenant} AND name >= ${first} AND name <> ${after} AND name < ${behind(prefix)}
    ORDER BY name LIMIT ${limit + 1}`
  const buckets = rows.slice(0, limit).map(bucketOf)
  const last = buckets.at(-1)
  return { buckets, ...(rows.length > limit && last && { next: last.name }) }
}

/** All that a tenant has, by id. */
export function* bucketIds(tenant: string): Step<string[]> {
  const rows = yield sql`SELECT id FROM buckets WHERE tenant = ${tenant} ORDER BY name`
  return rows.map(({ id }) => id as string)
}

export function* allBuckets(): Step<Bucket[]> {
  const rows = yield sql`SELECT * FROM buckets ORDER BY name`
  return rows.map(bucketOf)
}

/** @throws bucket.owned when the tenant has it already, bucket.exists when somebody else has */
export function* insertBucket(bucket: Bucket): Step<void> {
  const [taken] = yield sql`SELECT tenant FROM buckets WHERE name = ${bucket.name}`
  if (taken)
    throw storageError(taken.tenant === bucket.tenant ? 'bucket.owned' : 'bucket.exists', { bucket: bucket.name })
  yield sql`INSERT INTO buckets (id, name, tenant, created_at, policy, policy_epoch, etags, revision, quotas)
    VALUES (${bucket.id}, ${bucket.name}, ${bucket.tenant}, ${bucket.createdAt}, ${JSON.stringify(bucket.policy)}, ${bucket.policyEpoch}, ${bucket.etags}, ${bucket.revision}, ${bucket.quotas})`
}

/**
 * The bucket as whoever wants to change it has seen it.
 * @param expected its revision then; undefined for whatever it is
 * @throws bucket.missing, bucket.changed
 */
export function* getBucketToChange(tenant: string, name: string, expected: number | undefined): Step<Bucket> {
  const bucket = yield* getBucket(tenant, name)
  const { revision } = bucket
  if (expected !== undefined && revision !== expected)
    throw storageError('bucket.changed', { bucket: name, revision, expected })
  return bucket
}

/** A new policy begins a new epoch; writes under the old one do not commit any more. */
export function* setBucketPolicy(bucket: Bucket, policy: Policy): Step<Bucket> {
  const [policyEpoch, revision] = [bucket.policyEpoch + 1, bucket.revision + 1]
  yield sql`UPDATE buckets SET policy = ${JSON.stringify(policy)}, policy_epoch = ${policyEpoch}, revision = ${revision}
    WHERE id = ${bucket.id}`
  return { ...bucket, policy, policyEpoch, revision }
}

export function* setBucketEtags(bucket: Bucket, etags: Etags): Step<Bucket> {
  const revision = bucket.revision + 1
  yield sql`UPDATE buckets SET etags = ${etags}, revision = ${revision} WHERE id = ${bucket.id}`
  return { ...bucket, etags, revision }
}

/**
 * Takes the row first, which waits for everybody who is putting something into it, and looks afterwards: to be run as
 * `committed`, so that the look sees what they have put.
 * @throws bucket.missing when somebody else was quicker, bucket.filled while an object or an upload is in it
 */
export function* deleteBucket(bucket: Bucket): Step<void> {
  const gone = yield sql`DELETE FROM buckets WHERE id = ${bucket.id} RETURNING id`
  if (gone.length === 0) throw storageError('bucket.missing', { bucket: bucket.name })
  const [object] = yield sql`SELECT version FROM objects WHERE bucket = ${bucket.id} LIMIT 1`
  const [upload] = yield sql`SELECT id FROM uploads WHERE bucket = ${bucket.id} LIMIT 1`
  if (object || upload) throw storageError('bucket.filled', { bucket: bucket.name })
}

/** Policies are few and asked for with every request; each text is read once. */
const policies = new Map<string, Policy>()
const keptPolicies = 1000

function policyOf(text: string): Policy {
  let policy = policies.get(text)
  if (!policy) {
    if (policies.size >= keptPolicies) policies.clear()
    policy = Object.freeze(JSON.parse(text) as Policy)
    policies.set(text, policy)
  }
  return policy
}

function bucketOf(row: Row): Bucket {
  return {
    id: row.id as string,
    name: row.name as string,
    tenant: row.tenant as string,
    createdAt: row.created_at as number,
    policy: policyOf(row.policy as string),
    policyEpoch: row.policy_epoch as number,
    etags: row.etags as Etags,
    revision: row.revision as number,
    keyFloor: row.key_floor as number,
    quotas: row.quotas as number,
  }
}
