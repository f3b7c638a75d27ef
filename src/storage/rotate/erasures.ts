import type { Ground } from '../ground.ts'
import { getBucket } from '../index/buckets.store.ts'
import { countDeadBodies } from '../index/bodies.store.ts'
import { type Erasure, type ErasurePlace, lastErasure, listErasures } from '../index/erasures.store.ts'
import { countStrays } from '../index/intents.store.ts'
import { listKits } from '../kit/kits.store.ts'
import { findKeyMove, type KeyMove } from '../index/key-moves.store.ts'

/**
 * An epoch of a bucket's keys. `current`: new keys are wrapped by it. `leaving`: everything is on its way to the current one.
 * `kept`: an older one, and no rotation is under way.
 */
export type ShownEpoch = { epoch: number; since: number; state: 'current' | 'leaving' | 'kept' }
export type BucketEpochs = { epochs: ShownEpoch[]; move: KeyMove | undefined; erasure: Erasure | undefined }

/** The epochs of a bucket that have keys, the rotation that is under way, and what the last one erased. @throws bucket.missing */
export async function showEpochs(ground: Ground, { tenant }: { tenant: string }, name: string): Promise<BucketEpochs> {
  const { id, move, erasure } = await ground.index.read(function* () {
    const { id } = yield* getBucket(tenant, name)
    return { id, move: yield* findKeyMove(id), erasure: yield* lastErasure(id) }
  })
  const found = await ground.keys.epochs(id)
  const epochs = found.map(({ epoch, since }, at) => {
    const older = move ? ('leaving' as const) : ('kept' as const)
    return { epoch, since, state: at === found.length - 1 ? ('current' as const) : older }
  })
  return { epochs, move, erasure }
}

/**
 * A page of what was erased in a tenant's buckets, deleted ones too, the newest first.
 * @param after the last one of the page before
 */
export async function showErasures(
  ground: Ground,
  { tenant }: { tenant: string },
  { after, limit }: { after?: ErasurePlace; limit: number },
): Promise<Erasure[]> {
  return ground.index.read(() => listErasures(tenant, after, limit))
}

const kitsNamed = 1000

/**
 * What nobody here can know to be gone, one sentence each. *Deleted* is what no listing shows any more; *erased* is what no
 * key opens any more. These are the places where a key, or bytes that were opened, may still be.
 * @param asker who does not run the gateway is told no counts, which are over all tenants
 * @param destroyedAt when the keys were destroyed, milliseconds since 1970 UTC
 */
export async function unconfirmed(
  ground: Ground,
  { house }: { house: boolean },
  destroyedAt: number,
): Promise<string[]> {
  const { strays, bodies, kits } = await ground.index.read(function* () {
    return { strays: yield* countStrays(), bodies: yield* countDeadBodies(), kits: yield* listKits(kitsNamed) }
  })
  const time = new Date(destroyedAt).toISOString()
  const waiting = [
    ...strays.map(
      ({ provider, shards }) => `${shards} sealed shards that ${provider} was not told to remove yet, of all buckets.`,
    ),
    ...(bodies > 0
      ? [`The sealed shards of ${bodies} deleted bodies, of all buckets, which readers may still be at.`]
      : []),
  ]
  return [
    `Copies of the key store (keys.db) from before ${time}: with the root key of their time they open what was erased.`,
    ...kits
      .filter(({ madeAt }) => madeAt < destroyedAt)
      .map(
        ({ id }) =>
          `The recovery kit ${id}: it holds keys that were destroyed since. Destroy its copies, then: pelago recovery-kit discard ${id}`,
      ),
    'What a disk or a file system remembers of pages that were written over.',
    'Memory of gateways: opened keys for ten minutes after the destruction, small bodies that were read until others take their place or the gateway starts anew.',
    'Sealed shards in the trash of providers, for 14 days: without a key they are noise.',
    ...(house ? waiting : waiting.length > 0 ? ['Sealed shards that providers were not told to remove yet.'] : []),
  ]
}
