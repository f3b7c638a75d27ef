import type { Clock } from '#kernel'
import { s3Error } from './errors.ts'

/** How many requests are served at the same time, and how fast one key may send them. */
export type AdmissionLimits = {
  /** Requests under way in this process. */
  requests: number
  /** Requests under way of one access key. Less than `requests`, so that one key cannot take all there is. */
  requestsPerKey: number
  /** Requests per second of one access key in the long run, and how many it may send at once. */
  ratePerKey: number
  burstPerKey: number
}

/** A key's place among the requests under way. */
export type Seat = { leave(): void }

export type Admission = {
  /** @throws s3.slow-down: it is not queued, because whoever waits holds a connection and memory */
  enter(key: string): Seat
  /** Requests under way. */
  active(): number
}

type Kept = Seat & { active: number; tokens: number; at: number }

/** Keys that are remembered; those that rest are forgotten first, which loses nothing. */
const keysKept = 10_000
const second = 1000

/** Lets requests in. Nothing is allocated for a request of a key that was seen before. */
export function openAdmission(clock: Clock, limits: AdmissionLimits): Admission {
  const keys = new Map<string, Kept>()
  let active = 0

  const open = (key: string): Kept => {
    if (keys.size >= keysKept) forget()
    const seat: Kept = {
      active: 0,
      tokens: limits.burstPerKey,
      at: clock.now(),
      leave() {
        seat.active--
        active--
      },
    }
    keys.set(key, seat)
    return seat
  }
  const refill = (seat: Kept) => {
    const now = clock.now()
    const gained = (Math.max(0, now - seat.at) * limits.ratePerKey) / second
    seat.tokens = Math.min(limits.burstPerKey, seat.tokens + gained)
    seat.at = now
  }
  /** Who has requests under way, or sent many just now, is remembered. */
  const forget = () => {
    for (const [key, seat] of keys) {
      refill(seat)
      if (seat.active === 0 && seat.tokens >= limits.burstPerKey) keys.delete(key)
    }
    const [first] = keys.keys()
    if (keys.size >= keysKept && first !== undefined) keys.delete(first)
  }
  const refuse = (what: string, limit: number, seconds = 1) =>
    s3Error('s3.slow-down', { what, limit, retryAfter: seconds })

  return {
    active: () => active,
    enter(key) {
      if (active >= limits.requests) throw refuse('requests at the same time at this gateway', limits.requests)
      const seat = keys.get(key) ?? open(key)
      if (seat.active >= limits.requestsPerKey)
        throw refuse('requests of this access key at the same time', limits.requestsPerKey)
      refill(seat)
      if (seat.tokens < 1) {
        const wait = Math.ceil((1 - seat.tokens) / limits.ratePerKey)
        throw refuse('requests of this access key per second', limits.ratePerKey, Math.max(1, wait))
      }
      seat.tokens--
      seat.active++
      active++
      return seat
    },
  }
}
