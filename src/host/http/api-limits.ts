import type { RateLimit } from '#access'

/** What one asker, and all together, may take of the API's server. */
export type ApiLimits = {
  /** Bytes of a body and of a head. */
  bodyMost: number
  headMost: number
  /** How long a head, a body, and an answer may take, milliseconds. */
  headMs: number
  bodyMs: number
  answerMs: number
  connectionsMost: number
  connectionsPerAddress: number
  /** Requests that are worked on at the same time. */
  requestsMost: number
  streamsMost: number
  streamsPerAsker: number
  /** A silent stream says this often that it lives, and whether its reader still may listen is looked at. */
  heartbeatMs: number
  /** Who does not read his stream for so long loses it; and nobody keeps one longer than this without asking anew. */
  stuckMs: number
  streamMs: number
  rates: { address: RateLimit; asker: RateLimit }
}

export const apiLimits: ApiLimits = {
  bodyMost: 256 * 1024,
  headMost: 16 * 1024,
  headMs: 10_000,
  bodyMs: 10_000,
  answerMs: 120_000,
  connectionsMost: 200,
  connectionsPerAddress: 150,
  requestsMost: 100,
  streamsMost: 64,
  streamsPerAsker: 8,
  heartbeatMs: 15_000,
  stuckMs: 30_000,
  streamMs: 60 * 60 * 1000,
  rates: {
    address: { perSecond: 200, burst: 800, askersMost: 10_000 },
    asker: { perSecond: 100, burst: 400, askersMost: 10_000 },
  },
}
