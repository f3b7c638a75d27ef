import { type Clock, hasCode, type Log, PelagoError } from '#kernel'

/** What this gateway has seen of one provider lately. */
export type ProviderHealth = {
  state: 'alive' | 'dark'
  /** When it went dark, milliseconds since 1970 UTC. */
  darkSince?: number
  /** It said that it has no room; new shards go elsewhere. */
  full: boolean
  /** Moving average of the time to an answer, and a high quantile of it. */
  latencyMs: number
  slowMs: number
}

/**
 * Watches providers by what requests and probes report. Only silence makes a provider dark: an answer, even a refusal,
 * is a sign of life. Losing sight is not losing data, so nothing is moved because of one failed request.
 */
export type Health = {
  of(provider: string): ProviderHealth
  answered(provider: string, ms: number): void
  failed(provider: string, error: unknown): void
  /** A probe's answer: alive, with this much room left. */
  probed(provider: string, freeBytes: number): void
}

const startLatencyMs = 20
const roomNeeded = 256 * 1024 * 1024

export function openHealth(ports: { clock: Clock; log: Log }): Health {
  const seen = new Map<string, ProviderHealth>()
  const entry = (provider: string): ProviderHealth => {
    let health = seen.get(provider)
    if (!health) {
      health = { state: 'alive', full: false, latencyMs: startLatencyMs, slowMs: 4 * startLatencyMs }
      seen.set(provider, health)
    }
    return health
  }
  const alive = (provider: string) => {
    const health = entry(provider)
    if (health.state === 'dark') {
      ports.log('info', 'provider.back', { provider, darkMs: ports.clock.now() - (health.darkSince ?? 0) })
      health.state = 'alive'
      delete health.darkSince
    }
    return health
  }
  return {
    of: entry,
    answered(provider, ms) {
      const health = alive(provider)
      health.latencyMs += (ms - health.latencyMs) / 16
      // A running quantile: steps up 19 times as far as down, so it settles where one answer in twenty is slower.
      const step = Math.max(0.5, health.slowMs / 32)
      health.slowMs = Math.max(1, health.slowMs + (ms > health.slowMs ? step : -step / 19))
    },
    failed(provider, error) {
      const health = entry(provider)
      if (hasCode(error, 'shard.full')) health.full = true
      const silent = hasCode(error, 'shard.unreachable', 'shard.uncertain') || !(error instanceof PelagoError)
      if (!silent || health.state === 'dark') return
      health.state = 'dark'
      health.darkSince = ports.clock.now()
      ports.log('warn', 'provider.dark', { provider, reason: error instanceof Error ? error.message : String(error) })
    },
    probed(provider, freeBytes) {
      alive(provider).full = freeBytes < roomNeeded
    },
  }
}
