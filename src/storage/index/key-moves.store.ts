import { type Row, type Statement, sharing, sql } from '#kernel'
import { storageError } from '../errors.ts'
import type { WrappedData, WrappedKeys } from '../seal/key-store.ts'
import type { SegmentPlace } from './segment.ts'

type Step<T> = Generator<Statement, T, Row[]>

/**
 * How far the keys of a scope are on their way to a new epoch.
 * `moving`: what is stored is wrapped anew, writes under the old epoch still commit. `settled`: all that was found is, writers
 * that began earlier are given time. `fenced`: nothing under an old epoch commits any more; everything is looked at once more.
 * `waiting`: nothing uses an old epoch; readers that began earlier are given time, then the old keys are destroyed.
 * `ending`: the bucket was deleted; readers that began earlier are given time, then all of its keys are destroyed.
 */
export type KeyMoveState = 'moving' | 'settled' | 'fenced' | 'waiting' | 'ending'
export type KeyMove = {
  /** A bucket, or a class of packs. */
  scope: string
  /** The epoch under which everything is to be. */
  target: number
  state: KeyMoveState
  begunAt: number
  /** Nothing is to be done before. */
  notBefore: number
  /** What was wrapped anew so far. */
  moved: number
  /** What was found under an old epoch in this pass and could not be wrapped anew. */
  stuck: number
  /** Where the pass is: first objects by key, then segments by place. */
  key: Uint8Array | undefined
  place: SegmentPlace
}

const classPrefix = 'pack-'

/** Whose keys they are. */
export const kindOf = (scope: string): 'bucket' | 'packs' => (scope.startsWith(classPrefix) ? 'packs' : 'bucket')

/** How the log names a scope: in hexadecimal digits. */
export const loggedId = (scope: string) => (kindOf(scope) === 'packs' ? scope.slice(classPrefix.length) : scope)

const start: SegmentPlace = { body: '', position: -1 }

/** @throws key.rotating when the scope is on its way already */
export function* beginKeyMove(scope: string, target: number, now: number, objects: boolean): Step<KeyMove> {
  const after = objects ? new Uint8Array(0) : null
  const rows =
    yield sql`INSERT INTO key_moves (scope, target, state, begun_at, not_before, moved, stuck, after_key, after_body, after_position)
    VALUES (${scope}, ${target}, 'moving', ${now}, ${now}, 0, 0, ${after}, ${start.body}, ${start.position})
    ON CONFLICT (scope) DO NOTHING RETURNING *`
  if (!rows[0]) throw storageError('key.rotating', { scope })
  return moveOf(rows[0])
}

/** The keys of a deleted bucket go too, all of them, whether they were on their way to a new epoch or not. */
export function* beginKeyEnd(scope: string, now: number, notBefore: number): Step<void> {
  yield sql`DELETE FROM key_moves WHERE scope = ${scope}`
  yield sql`INSERT INTO key_moves (scope, target, state, begun_at, not_before, moved, stuck, after_key, after_body, after_position)
    VALUES (${scope}, 0, 'ending', ${now}, ${notBefore}, 0, 0, NULL, ${start.body}, ${start.position})`
}

export function* findKeyMove(scope: string): Step<KeyMove | undefined> {
  const [row] = yield sql`SELECT * FROM key_moves WHERE scope = ${scope}`
  return row && moveOf(row)
}

/** The move that has waited longest for its next step. */
export function* dueKeyMove(now: number): Step<KeyMove | undefined> {
  const [row] = yield sql`SELECT * FROM key_moves WHERE not_before <= ${now} ORDER BY not_before, scope LIMIT 1`
  return row && moveOf(row)
}

export function* listKeyMoves(limit: number): Step<KeyMove[]> {
  const rows = yield sql`SELECT * FROM key_moves ORDER BY begun_at, scope LIMIT ${limit}`
  return rows.map(moveOf)
}

/** Keeps how far a move is, unless the bucket was deleted meanwhile. */
export function* saveKeyMove(move: KeyMove): Step<void> {
  yield sql`UPDATE key_moves SET state = ${move.state}, not_before = ${move.notBefore}, moved = ${move.moved}, stuck = ${move.stuck},
    after_key = ${move.key ?? null}, after_body = ${move.place.body}, after_position = ${move.place.position}
    WHERE scope = ${move.scope} AND state <> 'ending'`
}

/** @returns false when it has become another one: the bucket was deleted meanwhile, and more keys are to go */
export function* endKeyMove({ scope, state }: KeyMove): Step<boolean> {
  const rows = yield sql`DELETE FROM key_moves WHERE scope = ${scope} AND state = ${state} RETURNING scope`
  return rows.length === 1
}

/** The same move at the start of a pass. */
export function restarted(move: KeyMove, objects: boolean): KeyMove {
  return { ...move, stuck: 0, key: objects ? new Uint8Array(0) : undefined, place: start }
}

/**
 * From here on nothing commits in this scope that is wrapped by an earlier epoch: commits hold the row, so this waits for
 * those that are under way.
 */
export function* raiseKeyFloor(scope: string, floor: number): Step<void> {
  yield sql`UPDATE buckets SET key_floor = ${floor} WHERE id = ${scope} AND key_floor < ${floor}`
  yield sql`UPDATE pack_classes SET key_floor = ${floor} WHERE id = ${scope} AND key_floor < ${floor}`
}

/** The earliest epoch that may still be written in a class of packs. It stays until the transaction ends. */
export function* holdClassFloor(id: string): Step<number> {
  const [row] = yield sharing(sql`SELECT key_floor FROM pack_classes WHERE id = ${id}`)
  return Number(row?.key_floor ?? 0)
}

export type ObjectKey = { key: Uint8Array; version: string; wrapped: WrappedData | undefined }

/** Keys of a page of a bucket's objects, behind `after`. One that lies in no pack has none of its own. */
export function* objectKeysAfter(bucket: string, after: Uint8Array, limit: number): Step<ObjectKey[]> {
  const rows = yield sql`SELECT key, version, pack, epoch, data_key, commitment FROM objects
    WHERE bucket = ${bucket} AND key > ${after} ORDER BY key LIMIT ${limit}`
  return rows.map((row) => ({
    key: row.key as Uint8Array,
    version: row.version as string,
    wrapped:
      row.pack === null
        ? undefined
        : {
            epoch: row.epoch as number,
            data: row.data_key as Uint8Array,
            commitment: row.commitment as Uint8Array,
          },
  }))
}

/** @returns false when the object was replaced or deleted meanwhile */
export function* rewrapObject(
  bucket: string,
  { key, version }: ObjectKey,
  from: WrappedData,
  to: WrappedData,
): Step<boolean> {
  const rows = yield sql`UPDATE objects SET epoch = ${to.epoch}, data_key = ${to.data}
    WHERE bucket = ${bucket} AND key = ${key} AND version = ${version} AND epoch = ${from.epoch} RETURNING epoch`
  return rows.length === 1
}

export type SegmentKey = SegmentPlace & { scope: string; generation: number; segment: string; wrapped: WrappedKeys }

/**
 * Keys of a page of all segments, behind `after`, but for those of bodies that were deleted: readers that began before have
 * been done for long when the old keys are destroyed, and with them goes what was deleted.
 */
export function* segmentKeysAfter(after: SegmentPlace, limit: number): Step<SegmentKey[]> {
  const rows =
    yield sql`SELECT body, position, scope, generation, segment, epoch, data_key, integrity_key, commitment FROM segments
    WHERE (body, position) > (${after.body}, ${after.position})
    AND NOT EXISTS (SELECT 1 FROM dead_bodies d WHERE d.body = segments.body)
    ORDER BY body, position LIMIT ${limit}`
  return rows.map((row) => ({
    body: row.body as string,
    position: row.position as number,
    scope: row.scope as string,
    generation: row.generation as number,
    segment: row.segment as string,
    wrapped: {
      epoch: row.epoch as number,
      data: row.data_key as Uint8Array,
      integrity: row.integrity_key as Uint8Array,
      commitment: row.commitment as Uint8Array,
    },
  }))
}

/** @returns false when repair has changed the segment meanwhile, or it is gone */
export function* rewrapSegment(
  { body, position, generation }: SegmentKey,
  to: Pick<WrappedKeys, 'epoch' | 'data' | 'integrity'>,
): Step<boolean> {
  const rows =
    yield sql`UPDATE segments SET epoch = ${to.epoch}, data_key = ${to.data}, integrity_key = ${to.integrity},
    generation = ${generation + 1}
    WHERE body = ${body} AND position = ${position} AND generation = ${generation} RETURNING generation`
  return rows.length === 1
}

function moveOf(row: Row): KeyMove {
  return {
    scope: row.scope as string,
    target: row.target as number,
    state: row.state as KeyMoveState,
    begunAt: row.begun_at as number,
    notBefore: row.not_before as number,
    moved: row.moved as number,
    stuck: row.stuck as number,
    key: row.after_key === null ? undefined : (row.after_key as Uint8Array),
    place: { body: row.after_body as string, position: row.after_position as number },
  }
}
