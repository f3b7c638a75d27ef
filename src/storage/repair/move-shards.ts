import { type Provider, survives } from '#pool'
import { storageError } from '../errors.ts'
import { freshName, type Ground } from '../ground.ts'
import type { Segment } from '../index/segment.ts'
import type { PackClass } from '../index/packs.store.ts'
import type { Bucket } from '../object.ts'
import { cellOf, fetchRows } from '../read/fetch-rows.ts'
import { openSegment } from '../read/open-segment.ts'
import { giveUp } from '../write/give-up.ts'
import { settle } from '../write/settle.ts'
import { openShardUpload } from '../write/shard-upload.ts'
import { plan } from '../write/write-segment.ts'
import { type Guard, replaceCommitted } from './replace-committed.ts'

/** Cells of one shard that may wait to be sent. */
const waitingCells = 4

/**
 * Brings single shards of a segment to other providers: copied where they can be read, rebuilt where not. Needs the
 * integrity key alone, and the other shards stay where they are.
 * @param spares shard -> its new provider
 * @param lost shards that must not be asked
 * @throws repair.unsafe, repair.failed, repair.overtaken, object.damaged
 */
export async function moveShards(
  ground: Ground,
  scope: Bucket | PackClass,
  segment: Segment,
  spares: ReadonlyMap<number, Provider>,
  lost: ReadonlySet<number>,
  guard: Guard,
  signal: AbortSignal,
): Promise<void> {
  const moved = [...spares.keys()]
  const holders = segment.holders.map((holder, shard) => spares.get(shard)?.id ?? holder)
  const known = new Map(ground.directory().providers.map((provider) => [provider.id, provider]))
  const providers = holders.map((id) => known.get(id)).filter((provider) => provider !== undefined)
  if (providers.length < holders.length || !survives(providers, segment.k, scope.policy)) {
    throw storageError('repair.unsafe', { segment: segment.segment })
  }
  const names = segment.names.map((name, shard) => (spares.has(shard) ? freshName(ground) : name))
  const intent = freshName(ground)
  try {
    const planned = moved.map((shard) => ({ provider: holders[shard] as string, name: names[shard] as string }))
    await plan(ground, intent, planned)
    const readable = await openSegment(ground, segment)
    const { shape, tags } = readable
    const uploads = planned.map((shard) => openShardUpload(ground, shard, shape, signal))
    for (let first = 0; first < shape.rows; first += ground.limits.windowRows) {
      const rows = { first, last: Math.min(first + ground.limits.windowRows, shape.rows) - 1 }
      const { cells } = await fetchRows(ground, readable, rows, moved, 'tags', signal, lost)
      for (let row = first; row <= rows.last; row++) {
        for (const [at, shard] of moved.entries()) {
          const cell = cellOf(shape, cells.get(shard) as Uint8Array, rows, row)
          tags.tag(row, shard, cell)
          uploads[at]?.push(cell)
        }
      }
      await settle(ground, uploads, uploads.length, (upload) => upload.drained(waitingCells))
    }
    await settle(ground, uploads, uploads.length, (upload) => upload.finish())
    const failed = uploads.find((upload) => !upload.durable())
    if (failed) throw storageError('repair.failed', { segment: segment.segment }, failed.failure())
    await replaceCommitted(ground, scope, intent, segment, { ...segment, holders, names }, guard)
  } catch (error) {
    await giveUp(ground, intent)
    throw error
  }
}
