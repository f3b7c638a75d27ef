import type { Ground } from '../ground.ts'
import { type Amount, heldOf, quotasOf } from '../index/quotas.store.ts'

/** A quota and how much of it is used. */
export type ShownQuota = {
  tenant: string
  /** Undefined where it is for all buckets of the tenant. */
  bucket: string | undefined
  bytesLimit: number | undefined
  objectsLimit: number | undefined
  used: Amount
  /** What gateways hold beside that. A write that needs it gets it. */
  held: Amount
  /** Whether what there was before the quota is still being counted; then `used` is a part. */
  counting: boolean
}

/** A page of the quotas of a tenant and of its buckets. @param after where the page before has ended; empty for the first */
export function showQuotas(
  ground: Ground,
  { tenant, after, limit }: { tenant: string; after: string; limit: number },
): Promise<{ quotas: ShownQuota[]; next?: string }> {
  return ground.index.read(function* () {
    const page = yield* quotasOf(tenant, after, limit + 1)
    const quotas: ShownQuota[] = []
    for (const { scope, name: bucket, bytesLimit, objectsLimit, taken, countedTo } of page.slice(0, limit)) {
      const held = yield* heldOf(scope)
      const used = { bytes: taken.bytes - held.bytes, objects: taken.objects - held.objects }
      quotas.push({ tenant, bucket, bytesLimit, objectsLimit, used, held, counting: countedTo !== undefined })
    }
    const last = page[limit - 1]
    return { quotas, ...(page.length > limit && last && { next: last.scope }) }
  })
}
