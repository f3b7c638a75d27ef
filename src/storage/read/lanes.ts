import { storageError } from '../errors.ts'

/**
 * How many reads run at one provider at the same time. The limit is halved when it falls silent and grows by one with every
 * round of answers, so that a provider that is overloaded is left to recover.
 */
export type Lanes = {
  /** Whether a read would begin at once. */
  free(provider: string): boolean
  /**
   * Resolves when it is this read's turn; it must `leave` then.
   * @throws shard.busy when too many wait already, or the signal's reason
   */
  enter(provider: string, signal: AbortSignal): Promise<void>
  leave(provider: string, outcome: 'answered' | 'silent' | 'ended'): void
  /** It does not answer, although it may yet. */
  silent(provider: string): void
}

type Road = { limit: number; running: number; sameSilence: number; waiting: (() => void)[] }

const fewest = 2

/**
 * @param most reads at one provider
 * @param waitingMost reads that wait for one provider; more are refused
 */
export function openLanes(most: number, waitingMost: number): Lanes {
  const roads = new Map<string, Road>()
  const roadOf = (provider: string): Road => {
    let road = roads.get(provider)
    if (!road) {
      road = { limit: most, running: 0, sameSilence: 0, waiting: [] }
      roads.set(provider, road)
    }
    return road
  }
  const hasRoom = (road: Road) => road.running < Math.floor(road.limit)
  return {
    free: (provider) => hasRoom(roadOf(provider)),
    async enter(provider, signal) {
      const road = roadOf(provider)
      if (!hasRoom(road)) {
        if (road.waiting.length >= waitingMost) throw storageError('shard.busy', { provider })
        return turn(road, signal)
      }
      road.running++
    },
    leave(provider, outcome) {
      const road = roadOf(provider)
      road.running--
      if (outcome === 'silent') stepBack(road)
      if (outcome === 'answered') road.limit = Math.min(most, road.limit + 1 / road.limit)
      if (outcome !== 'silent') road.sameSilence = Math.max(0, road.sameSilence - 1)
      while (hasRoom(road) && road.waiting.length > 0) road.waiting.shift()?.()
    },
    silent: (provider) => stepBack(roadOf(provider)),
  }
}

/** All that ran when a provider fell silent are silent together: one reason to step back, not many. */
function stepBack(road: Road): void {
  if (road.sameSilence > 0) {
    road.sameSilence--
    return
  }
  road.sameSilence = road.running
  road.limit = Math.max(fewest, road.limit / 2)
}

/** Whoever wakes it has counted it as running. */
function turn(road: Road, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = () => {
      signal.removeEventListener('abort', stop)
      road.running++
      resolve()
    }
    const refuse = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    const stop = () => {
      road.waiting.splice(road.waiting.indexOf(wake), 1)
      refuse()
    }
    if (signal.aborted) return refuse()
    road.waiting.push(wake)
    signal.addEventListener('abort', stop, { once: true })
  })
}
