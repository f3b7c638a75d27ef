import type { Clock } from '#kernel'

export type RateLimit = {
  /** How many may come per second for long, and how many at once after a pause. */
  perSecond: number
  burst: number
  /** How many askers are told apart. */
  askersMost: number
}

/** Counts what each asker takes, and says how long he must wait. */
export type Rates = {
  /** Takes one, or none. @returns milliseconds until the next try can succeed; 0 when it was taken */
  take(asker: string): number
}

/** What the sums of many small parts may be off by. */
const roundingError = 1e-6

type Bucket = { tokens: number; at: number }

/**
 * A token bucket per asker. When too many are known, those that have been away longest are forgotten, which at worst gives them a full
 * bucket again.
 */
export function openRates(clock: Pick<Clock, 'now'>, { perSecond, burst, askersMost }: RateLimit): Rates {
  /** In the order in which they were last seen. */
  const buckets = new Map<string, Bucket>()
  return {
    take(asker) {
      const now = clock.now()
      const bucket = buckets.get(asker) ?? { tokens: burst, at: now }
      // A clock that is set back must not empty anything.
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond)
      bucket.at = now
      buckets.delete(asker)
      buckets.set(asker, bucket)
      if (buckets.size > askersMost) buckets.delete(buckets.keys().next().value as string)
      const missing = 1 - bucket.tokens - roundingError
      if (missing > 0) return Math.ceil((missing / perSecond) * 1000)
      bucket.tokens = Math.max(0, bucket.tokens - 1)
      return 0
    },
  }
}
