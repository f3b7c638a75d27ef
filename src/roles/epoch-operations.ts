import * as api from '#api'
import { hasCode } from '#kernel'
import type { KeyAdmin } from '#storage'
import { type Handler, handles } from './handler.ts'

export type EpochPorts = {
  keys: KeyAdmin
  /** What the unwrap process was asked since it was started, by kind; nobody counts without. */
  rootCounts?(): Promise<Record<string, number>>
}

const pageErasures = 100

/** What a gateway answers about the epochs of its buckets' keys and about the root key. */
export function epochOperations({ keys, rootCounts }: EpochPorts): Handler[] {
  return [
    handles(api.listEpochs, async (call, { name }) => {
      const { epochs, move, erasure } = await keys.epochs(call, name)
      return {
        epochs: epochs.map(({ epoch, state, since }) => ({ epoch, state, since: since === 0 ? null : since })),
        move: move ? shownMove(move) : null,
        erasure: erasure ? shownErasure(erasure) : null,
        unconfirmed: erasure?.destroyedAt === undefined ? [] : await keys.unconfirmed(call, erasure.destroyedAt),
      }
    }),
    handles(api.rotateBucketKey, async (call, { name }) => shownMove(await keys.rotateBucket(call, name))),
    handles(api.rotatePackKeys, async (call) => ({ moves: (await keys.rotatePacks(call)).map(shownMove) })),
    handles(api.listErasures, async (call, { after, limit = pageErasures }) => {
      const [before, scope = ''] = after?.split('-') ?? []
      const place = before === undefined ? {} : { after: { before: Number(before), scope } }
      const erasures = await keys.erasures(call, { ...place, limit })
      const last = erasures[erasures.length - 1]
      return {
        erasures: erasures.map(shownErasure),
        next: last && erasures.length === limit ? `${last.before}-${last.scope}` : null,
      }
    }),
    handles(api.getRootKey, async () => {
      const [roots, moves, asked] = await Promise.all([quietly(keys.roots()), keys.moves(), quietly(rootCounts?.())])
      return { root: roots?.newest ?? null, roots: roots?.counts ?? [], moves: moves.map(shownMove), asked }
    }),
  ]
}

/** Null while the root key cannot be asked: that is an answer here. */
async function quietly<T>(asking: Promise<T> | undefined): Promise<T | null> {
  try {
    return (await asking) ?? null
  } catch (error) {
    if (hasCode(error, 'key.unavailable', 'key.busy')) return null
    throw error
  }
}

function shownMove(move: Awaited<ReturnType<KeyAdmin['moves']>>[number]): api.ApiKeyMove {
  const { scope, target, state, begunAt, notBefore, moved, stuck } = move
  const kind = scope.startsWith('pack-') ? ('packs' as const) : ('bucket' as const)
  return { kind, scope, epoch: target, state, begunAt, notBefore, moved, stuck }
}

function shownErasure(erasure: Awaited<ReturnType<KeyAdmin['erasures']>>[number]): api.ApiErasure {
  const { bucket, cause, before, destroyedAt, epochs } = erasure
  return { bucket, cause, before, destroyedAt: destroyedAt ?? null, epochs }
}
