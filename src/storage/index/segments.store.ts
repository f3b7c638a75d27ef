import { createHash } from 'node:crypto'
import { type Row, type Statement, sql } from '#kernel'
import type { Segment, SegmentPlace } from './segment.ts'

type Step<T> = Generator<Statement, T, Row[]>

export function* insertSegment(segment: Segment): Step<void> {
  const placement = yield* placementOf(segment)
  yield sql`INSERT INTO segments
    (body, position, scope, generation, segment, size, k, m, placement, names, epoch, data_key, integrity_key, commitment)
    VALUES (${segment.body}, ${segment.position}, ${segment.scope}, ${segment.generation}, ${segment.segment}, ${segment.size},
      ${segment.k}, ${segment.m}, ${placement}, ${segment.names.join('')}, ${segment.epoch},
      ${segment.dataKey}, ${segment.integrityKey}, ${segment.commitment})`
  yield* tally(segment, placement, 1)
}

/**
 * Puts `next` in place of `current` when nobody changed it in between.
 * @returns false when somebody did, or the segment is gone
 */
export function* replaceSegment(current: Segment, next: Segment): Step<boolean> {
  const placement = yield* placementOf(next)
  const rows =
    yield sql`UPDATE segments SET generation = ${current.generation + 1}, segment = ${next.segment}, k = ${next.k}, m = ${next.m},
    placement = ${placement}, names = ${next.names.join('')}, epoch = ${next.epoch},
    data_key = ${next.dataKey}, integrity_key = ${next.integrityKey}, commitment = ${next.commitment}
    WHERE body = ${current.body} AND position = ${current.position} AND generation = ${current.generation} RETURNING generation`
  if (rows.length !== 1) return false
  yield* tally(current, countedIn(current), -1)
  yield* tally(next, placement, 1)
  return true
}

/** Keeps count of what lies in which placement. */
function* tally(segment: Pick<Segment, 'scope' | 'k' | 'm' | 'size'>, placement: string, by: 1 | -1): Step<void> {
  const { scope, k, m, size } = segment
  yield sql`INSERT INTO placement_counts (placement, scope, k, m, segments, bytes) VALUES (${placement}, ${scope}, ${k}, ${m}, ${by}, ${by * size})
    ON CONFLICT (placement, scope, k, m) DO UPDATE SET segments = placement_counts.segments + excluded.segments,
      bytes = placement_counts.bytes + excluded.bytes`
  if (by < 0)
    yield sql`DELETE FROM placement_counts WHERE placement = ${placement} AND scope = ${scope} AND k = ${k} AND m = ${m} AND segments = 0`
}

export function* segmentsOf(body: string): Step<Segment[]> {
  const rows = yield sql`SELECT s.*, p.holders FROM segments s JOIN placements p ON p.id = s.placement
    WHERE s.body = ${body} ORDER BY s.position`
  return rows.map(segmentOf)
}

export function* segmentAt(place: SegmentPlace): Step<Segment | undefined> {
  const [row] = yield sql`SELECT s.*, p.holders FROM segments s JOIN placements p ON p.id = s.placement
    WHERE s.body = ${place.body} AND s.position = ${place.position}`
  return row && segmentOf(row)
}

/** A page of the segments of one placement, behind `after`. */
export function* segmentsOfPlacement(placement: string, after: SegmentPlace, limit: number): Step<Segment[]> {
  const rows = yield sql`SELECT s.*, p.holders FROM segments s JOIN placements p ON p.id = s.placement
    WHERE s.placement = ${placement} AND (s.body > ${after.body} OR (s.body = ${after.body} AND s.position > ${after.position}))
    ORDER BY s.body, s.position LIMIT ${limit}`
  return rows.map(segmentOf)
}

export type PlacementCount = {
  id: string
  holders: string[]
  k: number
  m: number
  scope: string
  segments: number
  bytes: number
}

/** How many segments lie in which placement, by scope and code: all that health needs, whatever the number of segments. */
export function* countPlacements(): Step<PlacementCount[]> {
  const rows = yield sql`SELECT c.placement AS id, p.holders, c.k, c.m, c.scope, c.segments, c.bytes
    FROM placement_counts c JOIN placements p ON p.id = c.placement ORDER BY c.placement, c.scope, c.k, c.m`
  return rows.map((row) => ({
    id: row.id as string,
    holders: (row.holders as string).split(','),
    k: row.k as number,
    m: row.m as number,
    scope: row.scope as string,
    segments: Number(row.segments),
    bytes: Number(row.bytes),
  }))
}

/** Takes the first segments of a body out of the index, at most `limit`. @returns them */
export function* takeSegments(body: string, limit: number): Step<Segment[]> {
  const rows = yield sql`SELECT s.*, p.holders FROM segments s JOIN placements p ON p.id = s.placement
    WHERE s.body = ${body} ORDER BY s.position LIMIT ${limit}`
  const segments = rows.map(segmentOf)
  const last = segments[segments.length - 1]
  if (!last) return []
  for (const segment of segments) yield* tally(segment, countedIn(segment), -1)
  yield sql`DELETE FROM segments WHERE body = ${body} AND position <= ${last.position}`
  yield sql`DELETE FROM gaps WHERE body = ${body} AND position <= ${last.position}`
  return segments
}

export type Gap = SegmentPlace & { shard: number; reason: 'missing' | 'corrupt'; since: number }

/** Remembers a shard that was asked for and is lost; repair rebuilds it. */
export function* insertGap(gap: Gap): Step<void> {
  yield sql`INSERT INTO gaps (body, position, shard, reason, since)
    VALUES (${gap.body}, ${gap.position}, ${gap.shard}, ${gap.reason}, ${gap.since}) ON CONFLICT (body, position, shard) DO NOTHING`
}

export function* deleteGap(place: SegmentPlace, shard: number): Step<void> {
  yield sql`DELETE FROM gaps WHERE body = ${place.body} AND position = ${place.position} AND shard = ${shard}`
}

export function* listGaps(limit: number): Step<Gap[]> {
  const rows =
    yield sql`SELECT body, position, shard, reason, since FROM gaps ORDER BY body, position, shard LIMIT ${limit}`
  return rows as unknown as Gap[]
}

export function* gapsOf(place: SegmentPlace): Step<Gap[]> {
  const rows =
    yield sql`SELECT body, position, shard, reason, since FROM gaps WHERE body = ${place.body} AND position = ${place.position}`
  return rows as unknown as Gap[]
}

/**
 * Every pack of a class that is put down at some holders is counted in one row, which commits of several gateways would all
 * write at the same time, and run again for it. So the packs of one list of holders are spread over as many placements.
 */
const packLanes = 16
const classPrefix = 'pack-'

/** Lists of holders repeat by the thousand; each is kept once, under its hash, so that finding it needs no lock. */
function* placementOf({ holders, scope, segment }: Segment): Step<string> {
  // The name of a segment is random.
  const lane = scope.startsWith(classPrefix) ? Number.parseInt(segment.slice(0, 4), 16) % packLanes : 0
  const id = placementId(holders, lane)
  yield sql`INSERT INTO placements (id, holders) VALUES (${id}, ${holders.join(',')}) ON CONFLICT (id) DO NOTHING`
  return id
}

/** Where a segment out of the index is counted. */
const countedIn = ({ placement, holders }: Segment) => placement ?? placementId(holders, 0)

function placementId(holders: string[], lane: number): string {
  const text = lane === 0 ? holders.join(',') : `${holders.join(',')}/${lane}`
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

function segmentOf(row: Row): Segment {
  return {
    body: row.body as string,
    position: row.position as number,
    scope: row.scope as string,
    generation: row.generation as number,
    segment: row.segment as string,
    size: row.size as number,
    k: row.k as number,
    m: row.m as number,
    holders: (row.holders as string).split(','),
    placement: row.placement as string,
    names: (row.names as string).match(/.{32}/g) ?? [],
    epoch: row.epoch as number,
    dataKey: row.data_key as Uint8Array,
    integrityKey: row.integrity_key as Uint8Array,
    commitment: row.commitment as Uint8Array,
  }
}
