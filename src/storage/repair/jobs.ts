import { type Json, sizeText } from '#kernel'
import { checkFence, type JobKind, liveSingles } from '#work'
import type { Ground } from '../ground.ts'
import { countJob } from '../quota/count-job.ts'
import { compactRound } from './compact.ts'
import { moveBucket, moveKind, moveName } from './move-bucket.ts'
import type { Repairer, RepairPlaces } from './repair-round.ts'
import { sweepRound } from './sweep.ts'

/** Repair of one stretch of losses: it begins with the first one and ends when nothing is left. */
type Spell = { segments: number; bytes: number; over: boolean; places: RepairPlaces }

/** What storage does by itself: lasting work, and the moves that a change of policy asks for. */
export function storageJobs(ground: Ground, repairer: Repairer): JobKind[] {
  const everyMs = ground.limits.roundMs
  return [
    {
      name: 'storage.repair',
      everyMs,
      mend: 'Look at which providers do not answer: pelago status',
      async step(job, fence, signal) {
        const last = (job.cursor ?? { segments: 0, bytes: 0, over: true, places: {} }) as Spell
        const places = { ...last.places }
        const live = await ground.index.read(() => liveSingles(moveKind))
        const moving = new Set([...live].map((single) => single.slice(moveName('').length)))
        const found = await repairer.round(() => checkFence(fence), signal, places, moving)
        if (!found) return { next: 'rest', says: job.says || repairText(0, 0, 0) }
        const fresh = last.over && (found.segments > 0 || found.left > 0)
        const segments = (fresh ? 0 : last.segments) + found.segments
        const bytes = (fresh ? 0 : last.bytes) + found.bytes
        const over = found.left === 0
        return {
          next: found.more ? 'more' : 'rest',
          cursor: { segments, bytes, over, places } as unknown as Json,
          done: segments,
          total: segments + found.left,
          says: repairText(segments, bytes, found.left),
        }
      },
    },
    {
      name: 'storage.compact',
      everyMs,
      mend: 'Look at which providers do not answer: pelago status',
      async step(job, fence, signal) {
        const { packs, objects } = await compactRound(ground, () => checkFence(fence), signal)
        if (packs === 0) return { next: 'rest', says: job.says || 'No pack is loose.' }
        const done = job.done + packs
        return {
          next: 'more',
          done,
          says: `${done} loose packs were written anew; of the last ${packs}, ${objects} small objects live on.`,
        }
      },
    },
    {
      name: 'storage.sweep',
      everyMs,
      mend: 'Look at which providers do not answer: pelago status',
      async step(job, fence, signal) {
        const { trashed, more } = await sweepRound(ground, () => checkFence(fence), signal)
        const done = job.done + trashed
        const says = `${done} shards that nothing refers to any more were given to their providers’ trash.`
        return { next: more ? 'more' : 'rest', done, says }
      },
    },
    moveBucket(ground, repairer),
    countJob,
  ]
}

function repairText(segments: number, bytes: number, left: number): string {
  if (left > 0) return `${segments} of ${segments + left} segments repaired, ${sizeText(bytes)}.`
  if (segments === 0) return 'Every segment is as its policy promises.'
  return `Every segment is as its policy promises; the last ${segments} were repaired, ${sizeText(bytes)}.`
}
