import type { Ground } from '../ground.ts'
import { giveBack } from '../index/quotas.store.ts'

/** Gives back what this gateway holds of quotas, as it ends. What cannot be given back is taken back when its time is over. */
export async function giveBackLeases(ground: Ground): Promise<void> {
  const leases = ground.leases.takeAll()
  if (leases.length === 0) return
  try {
    await ground.index.transact(function* () {
      for (const { id } of leases) yield* giveBack(id)
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    ground.log('warn', 'quota.unreturned', { leases: leases.length, reason })
  }
}
