import { fromUtf8, type Row, sizeText, type Statement } from '#kernel'
import type { JobKind, Progress } from '#work'
import type { Amount, Quota } from '../index/quotas.store.ts'
import {
  addTaken,
  bucketBehind,
  markBucket,
  markBuckets,
  objectSizes,
  setCountedTo,
  takeQuota,
  uploadSizes,
} from '../index/quotas.store.ts'
import { endOfBucket, objectPlace, quotaBits, uploadPlace } from './scopes.ts'

type Step<T> = Generator<Statement, T, Row[]>

export const countKind = 'storage.count'
export const countName = (scope: string) => `${countKind}/${scope}`

/** Objects, or uploads, of one step: a step must not keep others waiting. */
const pageMost = 500

/** Ids of buckets have 32 hex digits. */
const idLength = 32

/**
 * The kind of job that counts what there was before a quota. Input: `{ scope }`. The place that it has reached is in the
 * quota's row, which each step takes first and which every commit takes that counts against it meanwhile: so each change is
 * on one side of the place, and is counted once.
 */
export const countJob: JobKind = {
  name: countKind,
  mend: 'See whether the quota is still there: pelago quota show',
  async step(job) {
    const { scope } = job.input as { scope: string }
    return function* (): Step<Progress> {
      const quota = yield* takeQuota(scope)
      if (!quota?.countedTo) return { next: 'done', says: quota ? 'All is counted.' : 'The quota is gone.' }
      const page = yield* nextPage(quota, quota.countedTo)
      if (page === undefined) {
        yield* setCountedTo(scope, undefined)
        yield* markCounted(quota)
        return { next: 'done', says: `${countedText(quota.taken)} in all.` }
      }
      yield* addTaken(scope, page.amount)
      yield* setCountedTo(scope, page.upTo)
      const objects = quota.taken.objects + page.amount.objects
      const bytes = quota.taken.bytes + page.amount.bytes
      return { next: 'more', done: Math.max(0, objects), says: `${countedText({ bytes, objects })} so far.` }
    }
  },
}

const countedText = ({ bytes, objects }: Amount) => `${objects} objects, ${sizeText(bytes)}`

function* markCounted({ tenant, bucket }: Quota): Step<void> {
  if (bucket === undefined) yield* markBuckets(tenant, quotaBits.tenant.counting, 0)
  else yield* markBucket(bucket, quotaBits.bucket.counting, 0)
}

/** What stands behind a place, and up to where; undefined at the end of everything. */
function* nextPage(quota: Quota, after: Uint8Array): Step<{ amount: Amount; upTo: Uint8Array } | undefined> {
  const at = partsOf(after)
  const inside = at.phase === 'o' || at.phase === 'u'
  const bucket = inside ? at.bucket : yield* nextBucket(quota, at.bucket)
  if (bucket === undefined) return undefined
  const rest = inside ? at.rest : new Uint8Array(0)
  if (at.phase === 'u') {
    const rows = yield* uploadSizes(bucket, fromUtf8(rest), pageMost)
    const last = rows[pageMost - 1]
    const upTo = last ? uploadPlace(bucket, last.id) : endOfBucket(bucket)
    return { amount: { bytes: bytesOf(rows), objects: 0 }, upTo }
  }
  const rows = yield* objectSizes(bucket, rest, pageMost)
  const last = rows[pageMost - 1]
  const upTo = last ? objectPlace(bucket, last.key) : uploadPlace(bucket, '')
  return { amount: { bytes: bytesOf(rows), objects: rows.length }, upTo }
}

function* nextBucket({ tenant, bucket }: Quota, after: string): Step<string | undefined> {
  if (bucket === undefined) return yield* bucketBehind(tenant, after)
  return after === bucket ? undefined : bucket
}

const bytesOf = (rows: readonly { size: number }[]) => rows.reduce((sum, { size }) => sum + size, 0)

/** A place taken apart; at the very beginning it is in front of every bucket. */
function partsOf(place: Uint8Array): { bucket: string; phase: string; rest: Uint8Array } {
  const head = fromUtf8(place.subarray(0, idLength + 1))
  return { bucket: head.slice(0, idLength), phase: head.slice(idLength), rest: place.subarray(idLength + 1) }
}
