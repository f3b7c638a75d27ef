import type { Row, Statement } from '#kernel'
import type { Ground } from '../ground.ts'
import { type Amount, findQuota, heldOf, negative, type Quota, sum } from '../index/quotas.store.ts'
import { storageError } from '../errors.ts'
import { type Counted, scopesOf } from './scopes.ts'

const unlimited = Number.MAX_SAFE_INTEGER

/** What a quota has left beside what is stored and what leases hold. */
export function roomOf({
  taken,
  bytesLimit,
  objectsLimit,
}: Pick<Quota, 'taken' | 'bytesLimit' | 'objectsLimit'>): Amount {
  return {
    bytes: bytesLimit === undefined ? unlimited - taken.bytes : Math.max(0, bytesLimit - taken.bytes),
    objects: objectsLimit === undefined ? unlimited - taken.objects : Math.max(0, objectsLimit - taken.objects),
  }
}

/**
 * Whether so much would fit now: asked before the bytes are taken in, to spare them. The commit decides.
 * @throws quota.exceeded
 */
export function* checkRoom(ground: Ground, bucket: Counted, amount: Amount): Generator<Statement, void, Row[]> {
  for (const { id } of scopesOf(bucket)) {
    const known = ground.leases.room(id)
    if (known && amount.bytes <= known.bytes && amount.objects <= known.objects) continue
    const quota = yield* findQuota(id)
    if (!quota) continue
    const held = yield* heldOf(id)
    const room = roomOf({ ...quota, taken: sum(quota.taken, negative(held)) })
    if (Math.max(0, amount.bytes) > room.bytes || Math.max(0, amount.objects) > room.objects)
      throw exceeded(quota, amount)
  }
}

export function exceeded({ scope, bytesLimit, objectsLimit }: Quota, { bytes, objects }: Amount) {
  const limits = [
    ...(bytesLimit === undefined ? [] : [`${bytesLimit} bytes`]),
    ...(objectsLimit === undefined ? [] : [`${objectsLimit} objects`]),
  ]
  const of = scope.slice(0, scope.indexOf('/'))
  return storageError('quota.exceeded', { of, limits: limits.join(' and '), bytes, objects })
}
