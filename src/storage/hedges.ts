/**
 * Says whether more requests may be made for the same thing. Each request earns a share of a hedge, so that hedges stay a fixed
 * part of the load: an overload that makes everything slow does not double itself.
 */
export type Hedges = {
  earn(): void
  /** @param requests how many more are to be made; 1 if not given */
  spend(requests?: number): boolean
}

const savedMost = 16

/** @param share hedges per request, above 0 up to 1 */
export function openHedges(share: number): Hedges {
  let saved = savedMost / 2
  return {
    earn() {
      saved = Math.min(savedMost, saved + share)
    },
    spend(requests = 1) {
      if (saved < requests) return false
      saved -= requests
      return true
    },
  }
}
