import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import type { ShardUpload } from './shard-upload.ts'

/**
 * Waits until every upload has taken its step. Those that are still silent `writeStallMs` after enough others took theirs
 * are abandoned while hedges last; after `shardMs` without any progress, in any case. Being slow together is no fault of one.
 * @param enough how many must have answered before silence counts as a stall
 */
export async function settle(
  ground: Ground,
  uploads: readonly ShardUpload[],
  enough: number,
  step: (upload: ShardUpload) => Promise<void>,
): Promise<void> {
  const { writeStallMs, shardMs } = ground.limits
  const silent = new Set(uploads)
  await new Promise<void>((resolve) => {
    const timers: (() => void)[] = []
    const done = () => {
      for (const cancel of timers) cancel()
      resolve()
    }
    const giveUp = (capped: boolean) => {
      for (const upload of silent) {
        if (capped && !ground.hedges.spend()) return
        const stalled = storageError('shard.unreachable', { provider: upload.shard.provider, reason: 'it stalled' })
        ground.health.failed(upload.shard.provider, stalled)
        upload.abandon(stalled)
      }
    }
    if (silent.size === 0) return done()
    timers.push(ground.clock.after(shardMs, () => giveUp(false)))
    let armed = false
    for (const upload of uploads) {
      void step(upload).then(() => {
        silent.delete(upload)
        if (silent.size === 0) return done()
        if (armed || uploads.length - silent.size < enough) return
        armed = true
        timers.push(ground.clock.after(writeStallMs, () => giveUp(true)))
      })
    }
  })
}
