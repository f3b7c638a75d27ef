/**
 * Says whether one more request may be made twice. Each request earns a share of a hedge, so that hedges stay a fixed
 * part of the load: an overload that makes everything slow does not double itself.
 */
export type Hedges = { earn(): void; spend(): boolean }

const savedMost = 16

/** @param share hedges per request, above 0 up to 1 */
export function openHedges(share: number): Hedges {
  let saved = savedMost / 2
  return {
    earn() {
      saved = Math.min(savedMost, saved + share)
    },
    spend() {
      if (saved < 1) return false
      saved--
      return true
    },
  }
}
