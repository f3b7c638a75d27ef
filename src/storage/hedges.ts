import type { Counter } from '#kernel'

/**
 * Says whether more requests may be made for the same thing. Each request earns a share of a hedge, so that hedges stay a fixed
 * part of the load: an overload that makes everything slow does not double itself.
 */
export type Hedges = {
  earn(): void
  /**
   * @param requests how many more are to be made; 1 if not given
   * @param must they are made whatever it costs, and cost nothing of what was earned
   */
  spend(requests?: number, must?: boolean): boolean
}

const savedMost = 16

/**
 * @param share hedges per request, above 0 up to 1
 * @param counted where they are counted
 */
export function openHedges(share: number, counted?: Record<'made' | 'refused', Counter>): Hedges {
  let saved = savedMost / 2
  return {
    earn() {
      saved = Math.min(savedMost, saved + share)
    },
    spend(requests = 1, must = false) {
      if (!must && saved < requests) {
        counted?.refused.add(requests)
        return false
      }
      if (!must) saved -= requests
      counted?.made.add(requests)
      return true
    },
  }
}
