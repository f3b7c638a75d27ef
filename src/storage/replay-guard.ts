/** Remembers what was seen until it expires, within a bound; the oldest are forgotten only when they have expired. */
export type ReplayGuard = {
  /** @returns false when it was seen before, or when too many are remembered to be sure */
  admit(nonce: string, expires: number, now: number): boolean
}

export function openReplayGuard(most = 100_000): ReplayGuard {
  const seen = new Map<string, number>()
  return {
    admit(nonce, expires, now) {
      if (seen.has(nonce)) return false
      for (const [old, until] of seen) {
        if (until > now && seen.size < most) break
        if (until > now) return false
        seen.delete(old)
      }
      seen.set(nonce, expires)
      return true
    },
  }
}
