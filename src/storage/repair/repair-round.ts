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
import { assess, chooseSpares, inPlace } from './assess.ts'
import { moveShards } from './move-shards.ts'
import type { Guard } from './replace-committed.ts'
import { repack } from './repack.ts'
import { rewriteSegment } from './rewrite-segment.ts'

/** Segments of one placement that are taken up in one round. */
const pageSegments = 32
const pageGaps = 128
/** Placements that are taken up in one round. */
const placementsAtOnce = 64

/** Whose policy a segment keeps. */
export type Scope = Bucket | PackClass

/** What was repaired, and what is left of what was looked for. */
export type Repaired = { segments: number; bytes: number; left: number; more: boolean }
/** Where to go on in placements whose last page held segments that could not be repaired. */
export type RepairPlaces = Record<string, SegmentPlace>

export type Repairer = {
  /**
   * One bounded round: worst margin first.
   * @param places of the last round; is changed
   * @param moving buckets whose moves are jobs of their own: what survives as much as is promised is left to those
   * @returns undefined when nothing has changed since the last look
   */
  round(
    guard: Guard,
    signal: AbortSignal,
    places: RepairPlaces,
    moving: ReadonlySet<string>,
  ): Promise<Repaired | undefined>
  /** The same for what of one bucket lies otherwise than its policy wants. */
  move(bucket: string, guard: Guard, signal: AbortSignal, places: RepairPlaces): Promise<Repaired>
  /** Segments under repair at this moment. */
  busy(): number
}

/** Brings every segment back to its bucket's promise, and moves what may no longer lie where it does. */
export function openRepairer(ground: Ground): Repairer {
  let busy = 0
  let countedAt = Number.NEGATIVE_INFINITY
  let seenChanges = -1
  let unfinished = false

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

  const repairAll = async (jobs: [Scope, Segment][], guard: Guard, signal: AbortSignal, sum: Repaired) => {
    const rest = [...jobs]
    const lane = async () => {
      for (let job = rest.shift(); job; job = rest.shift()) {
        signal.throwIfAborted()
        if (!(await repairOne(job[0], job[1], guard, signal))) continue
        sum.segments++
        sum.bytes += job[1].size
        sum.more = true
      }
    }
    await Promise.all(Array.from({ length: ground.limits.repairs }, lane))
  }

  /** A page of each of these placements. */
  const repairPlacements = async (
    due: readonly PlacementCount[],
    byId: ReadonlyMap<string, Scope>,
    places: RepairPlaces,
    guard: Guard,
    signal: AbortSignal,
    sum: Repaired,
  ) => {
    for (const count of due.slice(0, placementsAtOnce)) {
      const id = `${count.id}/${count.k}/${count.m}/${count.scope}`
      const after = places[id] ?? { body: '', position: -1 }
      const page = await ground.index.read(() => segmentsOfPlacement(count.id, after, pageSegments))
      const last = page[page.length - 1]
      if (page.length === pageSegments && last) places[id] = { body: last.body, position: last.position }
      else delete places[id]
      const mine = page.filter((s) => s.scope === count.scope && s.k === count.k && s.m === count.m)
      await repairAll(jobsOf(mine, byId), guard, signal, sum)
      if (page.length === pageSegments) sum.more = true
    }
    if (due.length > placementsAtOnce) sum.more = true
    forgetPlaces(places, new Set(due.map(({ id, k, m, scope }) => `${id}/${k}/${m}/${scope}`)))
  }
  const scopesById = async () => {
    const scopes = await ground.index.read(function* () {
      return [...(yield* allBuckets()), ...(yield* allPackClasses())]
    })
    return new Map<string, Scope>(scopes.map((scope) => [scope.id, scope]))
  }

  return {
    busy: () => busy,
    async round(guard, signal, places, moving) {
      const now = ground.clock.now()
      const byId = await scopesById()
      const gaps = await ground.index.read(() => listGaps(pageGaps))
      const changed = seenChanges !== ground.health.changes() || now - countedAt >= ground.limits.recountMs
      if (!changed && !unfinished && gaps.length === 0) return undefined
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
      const sum: Repaired = { segments: 0, bytes: 0, left: gapped.length, more: false }
      await repairAll(jobsOf(gapped, byId), guard, signal, sum)

      const counts = await ground.index.read(countPlacements)
      const due = dueOf(ground, counts, byId, moving)
      sum.left += due.reduce((all, { segments }) => all + segments, 0)
      unfinished = due.length > 0
      await repairPlacements(due, byId, places, guard, signal, sum)
      return { ...sum, left: Math.max(0, sum.left - sum.segments) }
    },
    async move(bucket, guard, signal, places) {
      const byId = await scopesById()
      const scope = byId.get(bucket)
      const counts = await ground.index.read(countPlacements)
      const due = scope ? counts.filter((c) => c.scope === bucket && !inPlace(ground, c, scope.policy)) : []
      const left = due.reduce((all, { segments }) => all + segments, 0)
      const sum: Repaired = { segments: 0, bytes: 0, left, more: false }
      await repairPlacements(due, byId, places, guard, signal, sum)
      return { ...sum, left: Math.max(0, left - sum.segments) }
    },
  }
}

/** Only what is still due is gone on with. */
function forgetPlaces(places: RepairPlaces, due: ReadonlySet<string>): void {
  for (const id of Object.keys(places)) if (!due.has(id)) delete places[id]
}

/** The placements about which something can be done, those nearest to loss first. */
function dueOf(
  ground: Ground,
  counts: PlacementCount[],
  scopes: ReadonlyMap<string, Scope>,
  moving: ReadonlySet<string>,
): PlacementCount[] {
  return counts
    .flatMap((count) => {
      const scope = scopes.get(count.scope)
      if (!scope) return []
      const { action, margin } = assess(ground, count, scope.policy, new Set())
      if (moving.has(scope.id) && margin >= scope.policy.survive.providers) return []
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
