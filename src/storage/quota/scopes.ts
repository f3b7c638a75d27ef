import { concat, utf8 } from '#kernel'
import type { Bucket } from '../object.ts'

/** What of a bucket says which quotas count what is in it. */
export type Counted = Pick<Bucket, 'id' | 'tenant' | 'quotas'>

/**
 * Bits of a bucket's `quotas`: there is one of its own, or of its tenant; and what there was before it is still being counted.
 * They lie in the bucket's row, which every commit holds, so a quota that comes or goes is noticed without another look.
 */
export const quotaBits = {
  bucket: { has: 1, counting: 4 },
  tenant: { has: 2, counting: 8 },
} as const

/** @param counting whether only a part of what is stored has been counted */
export type Scope = { id: string; counting: boolean }

export const bucketScope = (id: string) => `bucket/${id}`
export const tenantScope = (tenant: string) => `tenant/${tenant}`

/** The quotas that what is put into a bucket counts against. */
export function scopesOf({ id, tenant, quotas }: Counted): Scope[] {
  const { bucket: own, tenant: all } = quotaBits
  return [
    ...(quotas & own.has ? [{ id: bucketScope(id), counting: (quotas & own.counting) !== 0 }] : []),
    ...(quotas & all.has ? [{ id: tenantScope(tenant), counting: (quotas & all.counting) !== 0 }] : []),
  ]
}

/**
 * Where something stands in the order in which a quota is counted: bucket by bucket, objects by key, then uploads by id. What
 * stands behind the place that the count has reached is still to be counted, so changes to it are not.
 */
export const objectPlace = (bucket: string, key: Uint8Array) => concat(utf8(`${bucket}o`), key)
export const uploadPlace = (bucket: string, upload: string) => utf8(`${bucket}u${upload}`)
/** Behind everything in the bucket. */
export const endOfBucket = (bucket: string) => utf8(`${bucket}v`)
