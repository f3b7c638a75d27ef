import { type Counter, type Histogram, type Metrics, meterOf, PelagoError, secondsBuckets } from '#kernel'

const kinds = ['put', 'get', 'delete', 'list', 'status'] as const
const outcomes = ['good', 'missing', 'exists', 'full', 'denied', 'corrupt', 'silent', 'busy', 'ended', 'other'] as const
type Outcome = (typeof outcomes)[number]
/** As many as a directory may list. */
const providersMost = 1000

export const shardMetrics = {
  pelago_shard_requests_total: {
    kind: 'counter',
    help: 'Requests of this gateway to a provider; silent: no answer, or an unknown outcome; ended: nobody needed it any more.',
    labels: { provider: { most: providersMost }, request: kinds, outcome: outcomes },
  },
  pelago_shard_request_seconds: {
    kind: 'histogram',
    help: 'Time to the whole answer of a provider, of requests that were answered well.',
    labels: { provider: { most: providersMost }, request: kinds },
    buckets: secondsBuckets,
  },
  pelago_shard_bytes_total: {
    kind: 'counter',
    help: 'Bytes of shards that went to a provider or came from it.',
    labels: { provider: { most: providersMost }, request: ['put', 'get'] },
  },
} as const

export type ShardRequestKind = (typeof kinds)[number]

/** Counts what is asked of one provider. */
export type ShardMeter = {
  /** @param began of `performance.now()`. @param signal of the request: what was ended says nothing about the provider */
  ended(kind: ShardRequestKind, began: number, error: unknown, signal: AbortSignal, bytes?: number): void
}

const outcomeOf: Record<string, Outcome> = {
  'shard.missing': 'missing',
  'shard.exists': 'exists',
  'shard.full': 'full',
  'shard.denied': 'denied',
  'shard.corrupt': 'corrupt',
  'shard.range': 'corrupt',
  'shard.unreachable': 'silent',
  'shard.uncertain': 'silent',
  'shard.busy': 'busy',
}

export function openShardMeter(metrics: Metrics, provider: string): ShardMeter {
  const meter = meterOf(metrics, shardMetrics)
  const counters = new Map<ShardRequestKind, Map<Outcome, Counter>>()
  const seconds = new Map<ShardRequestKind, Histogram>()
  for (const request of kinds) counters.set(request, new Map())
  const secondsOf = (request: ShardRequestKind): Histogram => {
    const known = seconds.get(request)
    if (known) return known
    const made = meter.histogram('pelago_shard_request_seconds', { provider, request })
    seconds.set(request, made)
    return made
  }
  const bytes = {
    put: meter.counter('pelago_shard_bytes_total', { provider, request: 'put' }),
    get: meter.counter('pelago_shard_bytes_total', { provider, request: 'get' }),
  }
  const counterOf = (request: ShardRequestKind, outcome: Outcome): Counter => {
    const known = counters.get(request)?.get(outcome)
    if (known) return known
    const made = meter.counter('pelago_shard_requests_total', { provider, request, outcome })
    counters.get(request)?.set(outcome, made)
    return made
  }
  return {
    ended(request, began, error, signal, moved = 0) {
      if (error === undefined) {
        secondsOf(request).observe((performance.now() - began) / 1000)
        counterOf(request, 'good').add()
        if (request === 'put' || request === 'get') bytes[request].add(moved)
      } else counterOf(request, outcomeWith(error, signal)).add()
    },
  }
}

function outcomeWith(error: unknown, signal: AbortSignal): Outcome {
  if (error instanceof PelagoError) return outcomeOf[error.code] ?? 'other'
  return signal.aborted ? 'ended' : 'other'
}
