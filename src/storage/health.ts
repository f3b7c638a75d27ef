import { type Clock, hasCode, type Log, PelagoError } from '#kernel'
import type { ShardStoreStatus } from './ports.ts'

/** What this gateway has seen of one provider lately. */
export type ProviderHealth = {
  state: 'alive' | 'dark'
  /** When this state began, milliseconds since 1970 UTC. */
  since: number
  /** It said that it has no room; new shards go elsewhere. */
  full: boolean
  /** When it last refused a shard for want of room, milliseconds since 1970 UTC, or 0. Its status may promise more room. */
  refusedAt: number
  /** Moving average of the time to an answer. */
  latencyMs: number
  /** What it last said about itself. */
  status?: ShardStoreStatus
}

/**
 * Watches providers by what requests and probes report. Only silence makes a provider dark: an answer, even a refusal,
 * is a sign of life. Losing sight is not losing data, so nothing is moved because of one failed request.
 */
export type Health = {
  of(provider: string): ProviderHealth
  /** It answered; `ms` when the time says how quick it is. */
  answered(provider: string, ms?: number): void
  failed(provider: string, error: unknown): void
  /** A probe's answer: alive, with this much room left. */
  probed(provider: string, status: ShardStoreStatus, ms: number): void
  /** Rises whenever a provider goes dark, comes back, fills or empties. */
  changes(): number
}

const startLatencyMs = 20

export function openHealth(ports: { clock: Clock; log: Log }): Health {
  const seen = new Map<string, ProviderHealth>()
  let changes = 0
  const entry = (provider: string): ProviderHealth => {
    let health = seen.get(provider)
    if (!health) {
      const since = ports.clock.now()
      health = { state: 'alive', since, full: false, refusedAt: 0, latencyMs: startLatencyMs }
      seen.set(provider, health)
    }
    return health
  }
  const enter = (health: ProviderHealth, state: ProviderHealth['state']) => {
    health.state = state
    health.since = ports.clock.now()
    changes++
  }
  const setFull = (health: ProviderHealth, full: boolean) => {
    if (health.full !== full) changes++
    health.full = full
  }
  const answered = (provider: string, ms?: number) => {
    const health = entry(provider)
    if (health.state === 'dark') {
      ports.log('info', 'provider.back', { provider, darkMs: ports.clock.now() - health.since })
      enter(health, 'alive')
    }
    if (ms !== undefined) health.latencyMs += (ms - health.latencyMs) / 16
    return health
  }
  return {
    of: entry,
    answered,
    failed(provider, error) {
      const health = entry(provider)
      if (hasCode(error, 'shard.full')) {
        setFull(health, true)
        health.refusedAt = ports.clock.now()
      }
      const silent = hasCode(error, 'shard.unreachable', 'shard.uncertain') || !(error instanceof PelagoError)
      if (!silent || health.state === 'dark') return
      enter(health, 'dark')
      ports.log('warn', 'provider.dark', { provider, reason: error instanceof Error ? error.message : String(error) })
    },
    probed(provider, status, ms) {
      const health = answered(provider, ms)
      health.status = status
      setFull(health, status.quotaBytes - status.usedBytes < roomNeeded(status.quotaBytes))
    },
    changes: () => changes,
  }
}

/** Below this a provider counts as full, so that a burst of writes does not run into its quota. */
const roomNeeded = (quotaBytes: number) => Math.min(256 * 1024 * 1024, quotaBytes / 50)
