import { type Row, type Statement, sql } from '#kernel'
import { noteChange } from './changes.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** Who may use a bucket, as its owner has said. `bucketId` tells this bucket from a later one of the same name. */
export type KeptBucketAccess = { bucket: string; bucketId: string; tenant: string; document: string; setAt: number }

/** Sets or replaces the policy of a bucket. */
export function* setBucketAccess({ bucket, bucketId, tenant, document, setAt }: KeptBucketAccess): Step<void> {
  yield sql`INSERT INTO bucket_access (bucket, bucket_id, tenant, document, set_at)
    VALUES (${bucket}, ${bucketId}, ${tenant}, ${document}, ${setAt})
    ON CONFLICT (bucket) DO UPDATE SET bucket_id = ${bucketId}, tenant = ${tenant}, document = ${document}, set_at = ${setAt}`
  yield* noteChange()
}

/** Whoever's bucket it is. */
export function* findBucketAccess(bucket: string): Step<KeptBucketAccess | undefined> {
  const [row] = yield sql`SELECT * FROM bucket_access WHERE bucket = ${bucket}`
  return (
    row && {
      bucket,
      bucketId: row.bucket_id as string,
      tenant: row.tenant as string,
      document: row.document as string,
      setAt: row.set_at as number,
    }
  )
}

/** Takes the policy away, if there is one. In the transaction that deletes a bucket, so that none of the same name inherits it. */
export function* deleteBucketAccess(bucket: string): Step<void> {
  const [found] = yield sql`SELECT bucket FROM bucket_access WHERE bucket = ${bucket}`
  if (!found) return
  yield sql`DELETE FROM bucket_access WHERE bucket = ${bucket}`
  yield* noteChange()
}
