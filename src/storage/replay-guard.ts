/** Remembers nonces until they expire, within a bound. */
export type ReplayGuard = {
  /** @returns false when it was seen before */
  admit(nonce: string, expires: number, now: number): boolean
}

/**
 * When more than `most` are remembered the oldest is forgotten, so that a burst of requests is not refused. It guards shards
 * against a trash that is played again; those have names that are never used twice, so forgetting one too early harms nobody.
 */
export function openReplayGuard(most = 100_000): ReplayGuard {
  const seen = new Map<string, number>()
  return {
    admit(nonce, expires, now) {
      if (seen.has(nonce)) return false
      for (const [old, until] of seen) {
        if (until >= now && seen.size < most) break
        seen.delete(old)
      }
      seen.set(nonce, expires)
      return true
    },
  }
}
