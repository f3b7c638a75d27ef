import { appendFact } from '#journal'
import { hasCode } from '#kernel'
import type { Ground } from '../ground.ts'
import {
  dueKeyMove,
  endKeyMove,
  kindOf,
  loggedId,
  type KeyMove,
  type ObjectKey,
  objectKeysAfter,
  raiseKeyFloor,
  restarted,
  rewrapObject,
  rewrapSegment,
  type SegmentKey,
  saveKeyMove,
  segmentKeysAfter,
} from '../index/key-moves.store.ts'
import { keepErasures } from '../index/erasures.store.ts'
import type { Guard } from '../repair/replace-committed.ts'
import type { WrappedData, WrappedKeys } from '../seal/key-store.ts'

/** Objects and segments that are looked at in one step. */
const pageRows = 200

export type RewrapStep = { moved: number; more: boolean }

/**
 * One bounded step of bringing keys to a new epoch. Where it is cut off, it goes on from there; what is done twice is no harm.
 * @returns how many keys were wrapped anew, and whether there is more to do right away; undefined when there is nothing
 */
export async function rewrapRound(ground: Ground, guard: Guard, signal: AbortSignal): Promise<RewrapStep | undefined> {
  const now = ground.clock.now()
  const move = await ground.index.read(() => dueKeyMove(now))
  if (!move) return undefined
  signal.throwIfAborted()
  switch (move.state) {
    case 'moving':
      return advance(ground, move, guard, (done) => {
        return { ...done, state: 'settled', notBefore: Math.max(now, move.begunAt + ground.limits.keySettleMs) }
      })
    case 'settled':
      await ground.index.transact(function* () {
        yield* guard()
        yield* raiseKeyFloor(move.scope, move.target)
        yield* saveKeyMove({ ...restarted(move, !isClass(move)), state: 'fenced', notBefore: now })
      })
      return { moved: 0, more: true }
    case 'fenced':
      return advance(ground, move, guard, (done) => {
        if (done.stuck > 0) return { ...restarted(done, !isClass(done)), notBefore: now + ground.limits.strayRetryMs }
        return { ...done, state: 'waiting', notBefore: now + ground.limits.readerGraceMs }
      })
    case 'waiting':
      return destroy(ground, move, guard)
    case 'ending':
      return destroyAll(ground, move, guard)
  }
}

const isClass = ({ scope }: KeyMove) => kindOf(scope) === 'packs'

/** Wraps one page anew. @param end what becomes of the move after the last page */
async function advance(
  ground: Ground,
  move: KeyMove,
  guard: Guard,
  end: (done: KeyMove) => KeyMove,
): Promise<RewrapStep> {
  const now = ground.clock.now()
  if (move.key !== undefined) {
    const after = move.key
    const page = await ground.index.read(() => objectKeysAfter(move.scope, after, pageRows))
    const stale = page.filter(({ wrapped }) => wrapped !== undefined && wrapped.epoch < move.target)
    const anew = await wrapAll(ground, move, stale, (object) => objectAnew(ground, move, object))
    if (!anew) return { moved: 0, more: false }
    const last = page[page.length - 1]
    const moved = await ground.index.transact(function* () {
      yield* guard()
      let moved = 0
      for (const { row, to } of anew.wrapped) {
        if (yield* rewrapObject(move.scope, row, row.wrapped as WrappedData, to)) moved++
      }
      const key = page.length === pageRows && last ? last.key : undefined
      yield* saveKeyMove({ ...counted(move, moved, anew.stuck), key, notBefore: now })
      return moved
    })
    return { moved, more: true }
  }
  const page = await ground.index.read(() => segmentKeysAfter(move.place, pageRows))
  const stale = page.filter(({ scope, wrapped }) => scope === move.scope && wrapped.epoch < move.target)
  const anew = await wrapAll(ground, move, stale, (segment) => segmentAnew(ground, move, segment))
  if (!anew) return { moved: 0, more: false }
  const last = page[page.length - 1]
  const moved = await ground.index.transact(function* () {
    yield* guard()
    let moved = 0
    // One that repair has just changed is looked at again in the next pass.
    for (const { row, to } of anew.wrapped) if (yield* rewrapSegment(row, to)) moved++
    const done = counted(move, moved, anew.stuck + anew.wrapped.length - moved)
    if (page.length === pageRows && last)
      yield* saveKeyMove({ ...done, place: { body: last.body, position: last.position }, notBefore: now })
    else yield* saveKeyMove(end(done))
    return moved
  })
  return { moved, more: true }
}

function counted(move: KeyMove, moved: number, stuck: number): KeyMove {
  return { ...move, moved: move.moved + moved, stuck: move.stuck + stuck }
}

/**
 * Wraps the keys of these rows by the new epoch. A key that does not open is counted and said: while there is one, the old
 * epoch is not destroyed.
 * @returns undefined while this process does not know the new epoch yet
 */
async function wrapAll<R extends ObjectKey | SegmentKey, W extends { epoch: number }>(
  ground: Ground,
  move: KeyMove,
  rows: readonly R[],
  wrap: (row: R) => Promise<W>,
): Promise<{ wrapped: { row: R; to: W }[]; stuck: number } | undefined> {
  const wrapped: { row: R; to: W }[] = []
  let stuck = 0
  for (const row of rows) {
    try {
      const to = await wrap(row)
      if (to.epoch < move.target) return undefined
      wrapped.push({ row, to })
    } catch (error) {
      if (!hasCode(error, 'key.commitment', 'key.lost')) throw error
      stuck++
      ground.log('error', 'key.stuck', { scope: move.scope, reason: error.message })
    }
  }
  return { wrapped, stuck }
}

async function objectAnew(ground: Ground, { scope }: KeyMove, { version, wrapped }: ObjectKey): Promise<WrappedData> {
  const id = Buffer.from(version, 'hex')
  return ground.keys.wrapData(scope, id, await ground.keys.unwrapData(scope, id, wrapped as WrappedData))
}

async function segmentAnew(
  ground: Ground,
  { scope }: KeyMove,
  { segment: name, wrapped }: SegmentKey,
): Promise<Pick<WrappedKeys, 'epoch' | 'data' | 'integrity'>> {
  const segment = Buffer.from(name, 'hex')
  const integrity = await ground.keys.unwrapIntegrity(scope, segment, wrapped)
  if (wrapped.data.length === 0)
    return { data: wrapped.data, ...(await ground.keys.wrapIntegrity(scope, { segment, integrity })) }
  const data = await ground.keys.unwrapData(scope, segment, wrapped)
  return ground.keys.wrap(scope, { segment, data, integrity })
}

/** The end of an epoch. Done twice, when the answer of the second step is lost, it is the same. */
async function destroy(ground: Ground, move: KeyMove, guard: Guard): Promise<RewrapStep> {
  const { scope, target } = move
  const destroyed = await ground.keys.destroyBelow(scope, target)
  const now = ground.clock.now()
  await ground.index.transact(function* () {
    yield* guard()
    if (!(yield* endKeyMove(move))) return
    yield* keepErasures(scope, now, destroyed)
    const facts = { kind: kindOf(scope), below: target, epochs: destroyed }
    const stated = { about: loggedId(scope), actor: 'system', tenant: '', at: now, facts }
    yield* appendFact(ground.journal, { topic: 'epoch.destroyed', ...stated })
  })
  ground.log('info', 'epoch.destroyed', { scope, below: target, epochs: destroyed })
  return { moved: 0, more: true }
}

/** The end of all epochs of a bucket that was deleted. */
async function destroyAll(ground: Ground, move: KeyMove, guard: Guard): Promise<RewrapStep> {
  const { scope } = move
  const destroyed = await ground.keys.destroyBelow(scope, Number.MAX_SAFE_INTEGER)
  const now = ground.clock.now()
  await ground.index.transact(function* () {
    yield* guard()
    if (!(yield* endKeyMove(move))) return
    yield* keepErasures(scope, now, destroyed)
    const stated = { about: loggedId(scope), actor: 'system', tenant: '', at: now, facts: { epochs: destroyed } }
    yield* appendFact(ground.journal, { topic: 'epoch.ended', ...stated })
  })
  ground.log('info', 'epoch.ended', { scope, epochs: destroyed })
  return { moved: 0, more: true }
}
