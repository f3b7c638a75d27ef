import { appendFact } from '#journal'
import type { Call } from '#kernel'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import { getBucket, holdBucketById } from '../index/buckets.store.ts'
import { promiseErasure } from '../index/erasures.store.ts'
import { beginKeyMove, findKeyMove, type KeyMove, kindOf, listKeyMoves, loggedId } from '../index/key-moves.store.ts'
import { allPackClasses } from '../index/packs.store.ts'

/**
 * Begins a new epoch of a bucket's keys. No data is written anew: what is stored has its keys wrapped by the new epoch, and
 * then the old epoch's keys are destroyed, with which everything that was deleted before is out of reach.
 * @throws bucket.missing, key.rotating, key.unavailable
 */
export async function rotateBucketKey(ground: Ground, call: Call, name: string): Promise<KeyMove> {
  const bucket = await ground.index.read(() => getBucket(call.tenant, name))
  return rotateScope(ground, call, { id: bucket.id, about: name, objects: true })
}

/** The same for the packs of every policy. Their keys prove bytes and open none. Those that are on their way are left alone. */
export async function rotatePackKeys(ground: Ground, call: Call): Promise<KeyMove[]> {
  const { classes, moving } = await ground.index.read(function* () {
    const moving = new Set((yield* listKeyMoves(movesListed)).map(({ scope }) => scope))
    return { classes: yield* allPackClasses(), moving }
  })
  const moves: KeyMove[] = []
  for (const { id } of classes) {
    if (!moving.has(id)) moves.push(await rotateScope(ground, call, { id, about: id, objects: false }))
  }
  return moves
}

const movesListed = 10_000

async function rotateScope(
  ground: Ground,
  call: Call,
  { id, about, objects }: { id: string; about: string; objects: boolean },
): Promise<KeyMove> {
  const found = await ground.index.read(() => findKeyMove(id))
  // The bucket was deleted since it was looked up.
  if (found?.state === 'ending') throw storageError('bucket.missing', { bucket: about })
  if (found) throw storageError('key.rotating', { scope: about })
  // An epoch that is begun and not used, because this ends here, is no harm: it is the newest from now on.
  const target = await ground.keys.beginEpoch(id)
  const now = ground.clock.now()
  return ground.index.transact(function* () {
    if (objects) {
      const bucket = yield* holdBucketById(id)
      if (!bucket) throw storageError('bucket.missing', { bucket: about })
      yield* promiseErasure(bucket.tenant, { scope: id, bucket: bucket.name, cause: 'rotated', before: now })
    }
    const move = yield* beginKeyMove(id, target, now, objects)
    const { actor, tenant } = call
    const facts = { kind: kindOf(id), epoch: target }
    yield* appendFact(ground.journal, { topic: 'epoch.begun', about: loggedId(id), actor, tenant, at: now, facts })
    return move
  })
}
