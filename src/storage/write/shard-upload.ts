import type { Ground } from '../ground.ts'
import type { PlannedShard } from '../index/intents.store.ts'
import { shardHeader } from '../seal/segment-seal.ts'
import type { SegmentShape } from '../seal/shape.ts'

/** One shard on its way to one provider. It never rejects: it fails, and says so. */
export type ShardUpload = {
  readonly shard: PlannedShard
  /** Hands over the next stored cell; cells are sent in the order they come. */
  push(cell: Uint8Array): void
  /** Resolves when at most `waiting` cells are unsent, or when it failed. */
  drained(waiting: number): Promise<void>
  /** Resolves when the provider has confirmed that all is durable, or when it failed. */
  finish(): Promise<void>
  /** Why it failed; undefined while it has not. */
  failure(): unknown
  durable(): boolean
  /** Gives it up for this reason; what is under way is broken off. */
  abandon(reason: unknown): void
}

export function openShardUpload(
  ground: Ground,
  shard: PlannedShard,
  shape: SegmentShape,
  signal: AbortSignal,
): ShardUpload {
  const controller = new AbortController()
  const forward = () => controller.abort(signal.reason)
  if (signal.aborted) forward()
  else signal.addEventListener('abort', forward, { once: true })

  const queue: Uint8Array[] = [shardHeader()]
  const wakers: (() => void)[] = []
  let failure: unknown
  let durable = false
  let last = false
  let pumping = false
  let sending = false
  let ending: Promise<void> | undefined

  const writer = ground.shards(shard.provider).create(shard.name, shape.shardBytes, controller.signal)
  const changed = () => {
    for (const wake of wakers.splice(0)) wake()
  }
  const fail = (reason: unknown) => {
    if (failure !== undefined || durable) return
    failure = reason ?? new Error('aborted')
    // What we broke off ourselves says nothing about the provider.
    if (!controller.signal.aborted) ground.health.failed(shard.provider, failure)
    signal.removeEventListener('abort', forward)
    writer.abort()
    queue.length = 0
    changed()
  }
  /** The end goes out together with the last cell, where that is known in time. */
  const end = () => {
    if (failure !== undefined || !last || queue.length > 1 || (queue.length === 1 && !sending)) return undefined
    ending ??= writer.finish()
    ending.catch(() => 'it is thrown where it is waited for')
    return ending
  }
  const pump = async () => {
    if (pumping) return
    pumping = true
    try {
      while (failure === undefined && (queue.length > 0 || (last && !durable))) {
        const cell = queue[0]
        if (cell) {
          const sent = writer.write(cell)
          sending = true
          void end()
          await sent
          sending = false
          queue.shift()
          ground.buffers.give(cell)
        } else {
          await end()
          durable = true
          signal.removeEventListener('abort', forward)
          ground.health.answered(shard.provider)
        }
        changed()
      }
    } catch (error) {
      fail(error)
    }
    pumping = false
  }
  const until = async (done: () => boolean) => {
    while (failure === undefined && !done()) await new Promise<void>((wake) => wakers.push(wake))
  }

  return {
    shard,
    push(cell) {
      if (failure !== undefined) return
      queue.push(cell)
      void pump()
    },
    drained: (waiting) => until(() => queue.length <= waiting),
    finish() {
      last = true
      void end()
      void pump()
      return until(() => durable)
    },
    failure: () => failure,
    durable: () => durable,
    abandon(reason) {
      controller.abort(reason)
      fail(reason)
    },
  }
}
