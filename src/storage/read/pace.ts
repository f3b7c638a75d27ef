import type { Clock } from '#kernel'

/** How quick a provider has been lately, in milliseconds for each unit that was read. */
export type Pace = {
  /** Moving average. */
  meanMs: number
  /** One answer in twenty took longer. */
  slowMs: number
}

/**
 * What reads have taken at each provider. Short and long reads are kept apart: over a long way the first are all waiting and
 * the second are not, so one says little about the other.
 */
export type Paces = {
  /** Undefined while nothing is known. */
  of(provider: string, units: number): Pace | undefined
  /** A read of so many units took `ms`, or was given up after it. */
  noted(provider: string, units: number, ms: number): void
  /** Longer than this says no more about a provider. */
  tellingMs(provider: string, units: number): number | undefined
  /** Takes the one place at a provider for watching an answer that nobody needs; false when it is taken. */
  watch(provider: string): boolean
  unwatch(provider: string): void
  /** Whether a provider that is spared because it is slow is to be asked again now, to see whether it still is. */
  tryAgain(provider: string, units: number): boolean
}

/** The last answers of which the slow quantile is taken, and after how many new ones it is taken anew. */
const kept = 64
const renewed = 8
const quantile = 0.95
/** One answer counts for so much at the most, so that a hiccup of one does not make a provider a slow one. */
const leap = 8

/** @param retryMs how long a provider rests before it is asked again */
export function openPaces(clock: Clock, retryMs: number): Paces {
  const tracks = new Map<string, Track>()
  const watched = new Set<string>()
  const nameOf = (provider: string, units: number) => `${provider} ${units > 1 ? 'long' : 'short'}`
  const trackOf = (provider: string, units: number) => tracks.get(nameOf(provider, units))
  return {
    of: trackOf,
    noted(provider, units, ms) {
      const at = clock.now()
      const track = trackOf(provider, units)
      if (track) note(track, ms / units, at)
      else tracks.set(nameOf(provider, units), beginTrack(ms / units, at))
    },
    tellingMs(provider, units) {
      const track = trackOf(provider, units)
      return track && leap * least(track.meanMs) * units
    },
    watch(provider) {
      if (watched.has(provider)) return false
      watched.add(provider)
      return true
    },
    unwatch: (provider) => void watched.delete(provider),
    tryAgain(provider, units) {
      const track = trackOf(provider, units)
      if (!track || clock.now() - track.askedAt < retryMs) return false
      track.askedAt = clock.now()
      return true
    },
  }
}

type Track = Pace & { recent: number[]; count: number; askedAt: number }

/** The clock counts whole milliseconds; less than one is nothing to multiply. */
const least = (ms: number) => Math.max(1, ms)

const beginTrack = (ms: number, askedAt: number): Track => ({
  meanMs: ms,
  // Of one answer nobody knows how much the next ones will differ.
  slowMs: 2 * least(ms),
  recent: [ms],
  count: 1,
  askedAt,
})

function note(track: Track, ms: number, at: number): void {
  const counted = Math.min(ms, leap * least(track.meanMs))
  // It gets better sooner than worse: who recovers is asked seldom and would be spared for long.
  track.meanMs += (counted - track.meanMs) / (counted > track.meanMs ? 8 : 4)
  track.recent[track.count % kept] = ms
  track.count++
  track.askedAt = at
  if (track.count % renewed !== 0) return
  const sorted = track.recent.toSorted((a, b) => a - b)
  track.slowMs = sorted[Math.floor(sorted.length * quantile)] as number
}
