import type { Clock } from '#kernel'

/** How quick a provider has been lately, in milliseconds for each unit that was read. */
export type Pace = {
  /** The median of a few: what is usual now. */
  usualMs: number
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
/**
 * The last answers of which the median is taken: being slow shows after five. An average would need as many, and a hiccup of
 * the machine, which takes as long as many answers, would hide in it what is slow and what is not.
 */
const usual = 9
/** An answer that takes this many times what is usual is slow; how slow does not matter. */
const telling = 8

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
      return track && telling * least(track.usualMs) * units
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
  usualMs: ms,
  // Of one answer nobody knows how much the next ones will differ.
  slowMs: 2 * least(ms),
  recent: [ms],
  count: 1,
  askedAt,
})

function note(track: Track, ms: number, at: number): void {
  track.recent[track.count % kept] = ms
  track.count++
  track.askedAt = at
  track.usualMs = quantileOf(lastOf(track, usual), 0.5)
  if (track.count % renewed === 0) track.slowMs = quantileOf(track.recent, quantile)
}

function lastOf({ recent, count }: Track, wanted: number): number[] {
  const last: number[] = []
  for (let back = 1; back <= Math.min(wanted, count); back++) last.push(recent[(count - back) % kept] as number)
  return last
}

const quantileOf = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] as number
