import type { Ground } from '../ground.ts'
import { killIntent } from '../index/intents.store.ts'

/**
 * Gives an intent up, so that it can never be committed and the sweep removes its shards.
 * @returns whether it was still open; undefined when the index does not answer (then it expires by itself)
 */
export async function giveUp(ground: Ground, intent: string): Promise<boolean | undefined> {
  try {
    return await ground.index.transact(() => killIntent(intent), 'snapshot')
  } catch (error) {
    ground.log('warn', 'intent.left', { intent, reason: error instanceof Error ? error.message : String(error) })
    return undefined
  }
}
