import { hasCode } from '#kernel'
import type { Ground } from '../ground.ts'
import { allBuckets } from '../index/buckets.store.ts'
import { allPackClasses, type PackClass } from '../index/packs.store.ts'
import type { Segment, SegmentPlace } from '../index/segment.ts'
import {
  countPlacements,
  gapsOf,
  listGaps,
  type PlacementCount,
  segmentAt,
  segmentsOfPlacement,
} from '../index/segments.store.ts'
import type { Bucket } from '../object.ts'
import { assess, chooseSpares } from './assess.ts'
import { moveShards } from './move-shards.ts'
import type { Guard } from './replace-committed.ts'
import { repack } from './repack.ts'
import { rewriteSegment } from './rewrite-segment.ts'

/** Segments of one placement that are taken up in one round. */
const pageSegments = 32
const pageGaps = 128

/** Whose policy a segment keeps. */
export type Scope = Bucket | PackClass

export type Repairer = {
  /** One bounded round: worst margin first. @returns whether there is more to do right away */
  round(guard: Guard, signal: AbortSignal): Promise<'more' | 'idle'>
  /** Segments under repair at this moment. */
  busy(): number
}

/** Brings every segment back to its bucket's promise, and moves what may no longer lie where it does. */
export function openRepairer(ground: Ground): Repairer {
  let busy = 0
  let countedAt = Number.NEGATIVE_INFINITY
  let seenChanges = -1
  let unfinished = false
  /** Where to go on in a placement whose last page held segments that could not be repaired. */
  const cursors = new Map<string, SegmentPlace>()

  const repairOne = async (scope: Scope, segment: Segment, guard: Guard, signal: AbortSignal): Promise<boolean> => {
    const gaps = await ground.index.read(() => gapsOf(segment))
    const lost = new Set(gaps.map((gap) => gap.shard))
    const { action, shards, because } = assess(ground, segment, scope.policy, lost)
    if (action === 'none' || action === 'wait') return false
    busy++
    try {
      const spares = action === 'move' ? chooseSpares(ground, segment, scope.policy, shards, lost) : undefined
      if (spares) await moveShards(ground, scope, segment, spares, lost, guard, signal)
      else if ('tenant' in scope) await rewriteSegment(ground, scope, segment, guard, signal)
      else await repack(ground, [segment.body], guard, signal)
      ground.meters.repairs[action].done.add()
      ground.log('info', 'segment.repaired', { segment: segment.segment, action, because })
      return true
    } catch (error) {
      if (signal.aborted || hasCode(error, 'work.fenced')) throw error
      const reason = error instanceof Error ? error.message : String(error)
      ground.meters.repairs[action].failed.add()
      ground.log('warn', 'segment.unrepaired', { segment: segment.segment, action, because, reason })
      return false
    } finally {
      busy--
    }
  }

  const repairAll = async (jobs: [Scope, Segment][], guard: Guard, signal: AbortSignal): Promise<number> => {
    let repaired = 0
    const rest = [...jobs]
    const lane = async () => {
      for (let job = rest.shift(); job; job = rest.shift()) {
        signal.throwIfAborted()
        if (await repairOne(job[0], job[1], guard, signal)) repaired++
      }
    }
    await Promise.all(Array.from({ length: ground.limits.repairs }, lane))
    return repaired
  }

  return {
    busy: () => busy,
    async round(guard, signal) {
      const now = ground.clock.now()
      const { scopes, gaps } = await ground.index.read(function* () {
        return { scopes: [...(yield* allBuckets()), ...(yield* allPackClasses())], gaps: yield* listGaps(pageGaps) }
      })
      const byId = new Map<string, Scope>(scopes.map((scope) => [scope.id, scope]))
      const changed = seenChanges !== ground.health.changes() || now - countedAt >= ground.limits.recountMs
      if (!changed && !unfinished && gaps.length === 0) return 'idle'
      seenChanges = ground.health.changes()
      countedAt = now

      const gapped = await ground.index.read(function* () {
        const places = new Map(gaps.map((gap) => [`${gap.body}/${gap.position}`, gap]))
        const segments: Segment[] = []
        for (const place of places.values()) {
          const segment = yield* segmentAt(place)
          if (segment) segments.push(segment)
        }
        return segments
      })
      let repaired = await repairAll(jobsOf(gapped, byId), guard, signal)

      const counts = await ground.index.read(countPlacements)
      const due = dueOf(ground, counts, byId)
      unfinished = due.length > 0
      for (const count of due) {
        const id = `${count.id}/${count.k}/${count.m}/${count.scope}`
        const after = cursors.get(id) ?? { body: '', position: -1 }
        const page = await ground.index.read(() => segmentsOfPlacement(count.id, after, pageSegments))
        const last = page[page.length - 1]
        if (page.length === pageSegments && last) cursors.set(id, last)
        else cursors.delete(id)
        const mine = page.filter((s) => s.scope === count.scope && s.k === count.k && s.m === count.m)
        repaired += await repairAll(jobsOf(mine, byId), guard, signal)
        if (page.length === pageSegments) repaired++
      }
      return repaired > 0 ? 'more' : 'idle'
    },
  }
}

/** The placements about which something can be done, those nearest to loss first. */
function dueOf(ground: Ground, counts: PlacementCount[], scopes: ReadonlyMap<string, Scope>): PlacementCount[] {
  return counts
    .flatMap((count) => {
      const scope = scopes.get(count.scope)
      if (!scope) return []
      const { action, margin } = assess(ground, count, scope.policy, new Set())
      return action === 'move' || action === 'rewrite' ? [{ count, margin }] : []
    })
    .sort((a, b) => a.margin - b.margin || (a.count.id < b.count.id ? -1 : 1))
    .map(({ count }) => count)
}

function jobsOf(segments: Segment[], scopes: ReadonlyMap<string, Scope>): [Scope, Segment][] {
  return segments.flatMap((segment) => {
    const scope = scopes.get(segment.scope)
    return scope ? [[scope, segment]] : []
  })
}
