import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** An amount of what is stored. */
export type Amount = { bytes: number; objects: number }

/**
 * How much may be stored in a bucket, or by a tenant. `taken` is what is stored and what leases hold besides, so nothing that
 * commits out of a lease can be more than the limits.
 */
export type Quota = {
  scope: string
  tenant: string
  /** Undefined where it is for all buckets of the tenant. */
  bucket: string | undefined
  bytesLimit: number | undefined
  objectsLimit: number | undefined
  taken: Amount
  /** Up to where what there was before the quota has been counted; undefined when all is. */
  countedTo: Uint8Array | undefined
  setAt: number
}

export function* findQuota(scope: string): Step<Quota | undefined> {
  const [row] = yield sql`SELECT * FROM quotas WHERE scope = ${scope}`
  return row && quotaOf(row)
}

/** The same for whoever changes it: nobody else does until the transaction ends. */
export function* takeQuota(scope: string): Step<Quota | undefined> {
  const [row] = yield sql`UPDATE quotas SET set_at = set_at WHERE scope = ${scope} RETURNING *`
  return row && quotaOf(row)
}

/** A page of the quotas of a tenant and of its buckets, with the buckets' names; behind `after` in the order of scopes. */
export function* quotasOf(
  tenant: string,
  after: string,
  limit: number,
): Step<(Quota & { name: string | undefined })[]> {
  const rows = yield sql`SELECT q.*, b.name FROM quotas q LEFT JOIN buckets b ON b.id = q.bucket
    WHERE q.tenant = ${tenant} AND q.scope > ${after} ORDER BY q.scope LIMIT ${limit}`
  return rows.map((row) => ({ ...quotaOf(row), name: (row.name as string | null) ?? undefined }))
}

/** A quota that was not there yet. What is stored is still to be counted. */
export function* insertQuota({ scope, tenant, bucket, bytesLimit, objectsLimit, setAt }: NewQuota): Step<void> {
  yield sql`INSERT INTO quotas (scope, tenant, bucket, bytes_limit, objects_limit, bytes, objects, counted_to, set_at)
    VALUES (${scope}, ${tenant}, ${bucket ?? null}, ${bytesLimit ?? null}, ${objectsLimit ?? null}, 0, 0, ${new Uint8Array(0)}, ${setAt})`
}
export type NewQuota = Omit<Quota, 'taken' | 'countedTo'>

export function* setLimits({ scope, bytesLimit, objectsLimit, setAt }: NewQuota): Step<void> {
  yield sql`UPDATE quotas SET bytes_limit = ${bytesLimit ?? null}, objects_limit = ${objectsLimit ?? null}, set_at = ${setAt}
    WHERE scope = ${scope}`
}

/** With all its leases: whoever still holds one finds out in his commit. */
export function* deleteQuota(scope: string): Step<void> {
  yield sql`DELETE FROM quota_leases WHERE scope = ${scope}`
  yield sql`DELETE FROM quotas WHERE scope = ${scope}`
}

/** So much more, or less, is stored or held by leases. */
export function* addTaken(scope: string, { bytes, objects }: Amount): Step<void> {
  yield sql`UPDATE quotas SET bytes = bytes + ${bytes}, objects = objects + ${objects} WHERE scope = ${scope}`
}

export function* setCountedTo(scope: string, place: Uint8Array | undefined): Step<void> {
  yield sql`UPDATE quotas SET counted_to = ${place ?? null} WHERE scope = ${scope}`
}

/** A part of a quota that one gateway may use without asking; the row is written by no two commits at a time. */
export type Lease = Amount & { id: string; scope: string; expiresAt: number }

/** What a lease has left; undefined when it was taken back. */
export function* findLease(id: string): Step<Amount | undefined> {
  const [row] = yield sql`SELECT bytes, objects FROM quota_leases WHERE id = ${id}`
  return row && amountOf(row)
}

export function* insertLease({ id, scope, bytes, objects, expiresAt }: Lease): Step<void> {
  yield sql`INSERT INTO quota_leases (id, scope, bytes, objects, expires_at)
    VALUES (${id}, ${scope}, ${bytes}, ${objects}, ${expiresAt})`
}

export function* saveLease(id: string, { bytes, objects }: Amount): Step<void> {
  yield sql`UPDATE quota_leases SET bytes = ${bytes}, objects = ${objects} WHERE id = ${id}`
}

/** What all leases of a quota have left. */
export function* heldOf(scope: string): Step<Amount> {
  const [row] =
    yield sql`SELECT COALESCE(SUM(bytes), 0) AS bytes, COALESCE(SUM(objects), 0) AS objects FROM quota_leases WHERE scope = ${scope}`
  return row ? amountOf(row) : { bytes: 0, objects: 0 }
}

/** Takes back what others hold of a quota and do not use. @returns how much that is; the quota is still to be told */
export function* takeBack(scope: string, but: string | undefined): Step<Amount> {
  const rows =
    yield sql`DELETE FROM quota_leases WHERE scope = ${scope} AND id <> ${but ?? ''} RETURNING bytes, objects`
  return rows.map(amountOf).reduce(sum, { bytes: 0, objects: 0 })
}

/** Gives back what one lease has left. */
export function* giveBack(id: string): Step<void> {
  const [row] = yield sql`DELETE FROM quota_leases WHERE id = ${id} RETURNING scope, bytes, objects`
  if (row) yield* addTaken(row.scope as string, negative(amountOf(row)))
}

/** Takes back leases that nobody has given back in time, at most `limit`. */
export function* takeBackExpired(now: number, limit: number): Step<void> {
  const rows = yield sql`SELECT id FROM quota_leases WHERE expires_at <= ${now} ORDER BY expires_at LIMIT ${limit}`
  for (const { id } of rows) yield* giveBack(id as string)
}

/** Marks the buckets of a tenant: which quotas what is put into them counts against. */
export function* markBuckets(tenant: string, clear: number, set: number): Step<void> {
  yield sql`UPDATE buckets SET quotas = (quotas & ${~clear}) | ${set} WHERE tenant = ${tenant}`
}

export function* markBucket(id: string, clear: number, set: number): Step<void> {
  yield sql`UPDATE buckets SET quotas = (quotas & ${~clear}) | ${set} WHERE id = ${id}`
}

/** The first bucket of a tenant behind another one, in the order of ids. */
export function* bucketBehind(tenant: string, after: string): Step<string | undefined> {
  const [row] = yield sql`SELECT id FROM buckets WHERE tenant = ${tenant} AND id > ${after} ORDER BY id LIMIT 1`
  return row && (row.id as string)
}

/** Sizes of a page of a bucket's objects, behind `after`. */
export function* objectSizes(
  bucket: string,
  after: Uint8Array,
  limit: number,
): Step<{ key: Uint8Array; size: number }[]> {
  const rows =
    yield sql`SELECT key, size FROM objects WHERE bucket = ${bucket} AND key > ${after} ORDER BY key LIMIT ${limit}`
  return rows.map(({ key, size }) => ({ key: key as Uint8Array, size: size as number }))
}

/** What the parts of a page of a bucket's uploads hold, behind `after` in the order of ids. */
export function* uploadSizes(bucket: string, after: string, limit: number): Step<{ id: string; size: number }[]> {
  const rows =
    yield sql`SELECT u.id, COALESCE(SUM(p.size), 0) AS size FROM uploads u LEFT JOIN parts p ON p.version = u.id
    WHERE u.bucket = ${bucket} AND u.id > ${after} GROUP BY u.id ORDER BY u.id LIMIT ${limit}`
  return rows.map(({ id, size }) => ({ id: id as string, size: Number(size) }))
}

export const sum = (a: Amount, b: Amount): Amount => ({ bytes: a.bytes + b.bytes, objects: a.objects + b.objects })
export const negative = ({ bytes, objects }: Amount): Amount => ({ bytes: 0 - bytes, objects: 0 - objects })

const amountOf = (row: Row): Amount => ({ bytes: Number(row.bytes), objects: Number(row.objects) })

function quotaOf(row: Row): Quota {
  return {
    scope: row.scope as string,
    tenant: row.tenant as string,
    bucket: (row.bucket as string | null) ?? undefined,
    bytesLimit: (row.bytes_limit as number | null) ?? undefined,
    objectsLimit: (row.objects_limit as number | null) ?? undefined,
    taken: amountOf(row),
    countedTo: (row.counted_to as Uint8Array | null) ?? undefined,
    setAt: row.set_at as number,
  }
}
