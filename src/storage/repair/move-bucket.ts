import { type Json, PelagoError, sizeText } from '#kernel'
import { checkFence, type JobKind, type Progress } from '#work'
import type { Ground } from '../ground.ts'
import { allBuckets } from '../index/buckets.store.ts'
import { advancePolicyMove, beginPolicyMove, endPolicyMove, packClassOf, policyMovePage } from '../index/packs.store.ts'
import type { Bucket } from '../object.ts'
import { bytesMoved } from './compact.ts'
import { repack } from './repack.ts'
import type { Repairer, RepairPlaces } from './repair-round.ts'

export const moveKind = 'storage.move'
/** One move of a bucket lives at a time; another change of its policy begins it anew. */
export const moveName = (bucket: string) => `${moveKind}/${bucket}`

/** Objects of a bucket that are looked at in one step. */
const pageObjects = 500

/** `found`: small objects that lay in packs of another policy in this pass over the bucket. */
type Place = { segments: number; bytes: number; objects: number; found: number; places: RepairPlaces }

const start: Place = { segments: 0, bytes: 0, objects: 0, found: 0, places: {} }

/**
 * The kind of job that brings a bucket to where its new policy wants it: first its segments, then, in passes over its keys
 * until one finds nothing, the packs in which its small objects lie. Input: `{ bucket }`, its id.
 */
export function moveBucket(ground: Ground, repairer: Repairer): JobKind {
  const { index, limits } = ground
  const rest = { next: 'rest', restMs: limits.roundMs } as const
  return {
    name: moveKind,
    mend: 'See what is stored and which providers answer: pelago status',
    async step(job, fence, signal) {
      const guard = () => checkFence(fence)
      const id = (job.input as { bucket: string }).bucket
      const at = { ...start, ...(job.cursor as Partial<Place> | null) }
      const places = { ...at.places }
      const bucket = (await index.read(allBuckets)).find((one) => one.id === id)
      if (!bucket) return () => ending(id, { next: 'done', says: 'The bucket is gone.' })
      try {
        const moved = await repairer.move(id, guard, signal, places)
        const now = { ...at, places, segments: at.segments + moved.segments, bytes: at.bytes + moved.bytes }
        const counts = { done: now.segments, total: now.segments + moved.left }
        const says = movedText(now, moved.left)
        const cursor = now as unknown as Json
        if (moved.left > 0) return { ...(moved.more ? { next: 'more' } : rest), cursor, ...counts, says }
        return await movePacks(bucket, now, counts)
      } catch (error) {
        if (!(error instanceof PelagoError) || !error.retryable || signal.aborted) throw error
        // Providers that do not answer or have no room are no fault of this job: it waits for them.
        return { ...rest, says: `It waits: ${error.message}` }
      }

      async function movePacks(bucket: Bucket, now: Place, counts: { done: number; total: number }) {
        const wanted = packClassOf(bucket.policy).id
        const page = await index.read(() => policyMovePage(id, wanted, pageObjects, bytesMoved(ground)))
        const objects = page.packs.length > 0 ? await repack(ground, page.packs, guard, signal) : 0
        const next: Place = { ...now, objects: now.objects + objects, found: now.found + page.packs.length }
        const { upTo } = page
        return () => stepOn(next, counts, upTo)
      }
      function* stepOn(now: Place, counts: { done: number; total: number }, upTo: Uint8Array | undefined) {
        const says = movedText(now, 0)
        if (upTo) {
          yield* advancePolicyMove(id, upTo)
          return { next: 'more', cursor: now as unknown as Json, ...counts, says } as Progress
        }
        // What could not be read, or was written meanwhile, is found by another pass.
        if (now.found === 0) return yield* ending(id, { next: 'done', ...counts, says: `All is in place: ${says}` })
        yield* beginPolicyMove(id)
        return { ...rest, cursor: { ...now, found: 0 } as unknown as Json, ...counts, says } as Progress
      }
    },
  }
}

function* ending(bucket: string, progress: Progress) {
  yield* endPolicyMove(bucket)
  return progress
}

function movedText({ segments, bytes, objects }: Place, left: number): string {
  const whole = `${segments} of ${segments + left} segments moved, ${sizeText(bytes)}`
  return objects > 0 ? `${whole}; ${objects} small objects moved.` : `${whole}.`
}
