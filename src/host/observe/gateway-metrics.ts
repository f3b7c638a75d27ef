import { type Metrics, meterOf } from '#kernel'
import type { Directory } from '#pool'
import type { OpenStorage } from '#storage'

const providersMost = 1000

export const gatewayMetrics = {
  pelago_segments: {
    kind: 'gauge',
    help: 'Segments by how many more losses of providers they survive; -1 cannot be read now.',
    labels: { margin: { most: 64 } },
  },
  pelago_segment_bytes: {
    kind: 'gauge',
    help: 'Bytes of objects by how many more losses of providers they survive.',
    labels: { margin: { most: 64 } },
  },
  pelago_segments_degraded: { kind: 'gauge', help: 'Segments that survive fewer losses than their bucket promises.' },
  pelago_segments_repairing: { kind: 'gauge', help: 'Segments that this gateway brings back to their promise now.' },
  pelago_objects: { kind: 'gauge', help: 'Objects; exact while they are few, else as of the last count.' },
  pelago_memory_used_bytes: {
    kind: 'gauge',
    help: 'Memory that requests hold.',
    labels: { budget: ['writes', 'reads', 'cache'] },
  },
  pelago_memory_limit_bytes: {
    kind: 'gauge',
    help: 'The most that requests may hold.',
    labels: { budget: ['writes', 'reads', 'cache'] },
  },
  pelago_directory_version: { kind: 'gauge', help: 'Version of the directory that this gateway works with.' },
  pelago_directory_expires_seconds: {
    kind: 'gauge',
    help: 'When that directory ends, in seconds since 1970 UTC: from then on nothing new is placed.',
  },
  pelago_provider_alive: {
    kind: 'gauge',
    help: '1 when the provider answers this gateway, 0 when it is dark.',
    labels: { provider: { most: providersMost } },
  },
  pelago_provider_full: {
    kind: 'gauge',
    help: '1 when the provider has no room left.',
    labels: { provider: { most: providersMost } },
  },
  pelago_provider_used_bytes: {
    kind: 'gauge',
    help: 'What the provider said it holds, over all gateways.',
    labels: { provider: { most: providersMost } },
  },
  pelago_provider_quota_bytes: {
    kind: 'gauge',
    help: 'What the provider said it may hold.',
    labels: { provider: { most: providersMost } },
  },
  pelago_readings_failed_total: { kind: 'counter', help: 'Times that the margins could not be counted.' },
} as const

/** Counting margins asks the index; whoever reads more often sees the last count. */
const countedMs = 5000

/** How the stored bytes and the providers stand, brought up to date when the metrics are read. */
export function watchGateway(
  metrics: Metrics,
  gateway: { storage: Pick<OpenStorage, 'report' | 'provider'>; directory(): Directory; now(): number },
): void {
  const { gauge, counter } = meterOf(metrics, gatewayMetrics)
  const budgets = ['writes', 'reads', 'cache'] as const
  const failed = counter('pelago_readings_failed_total', {})
  const margins = new Set<string>()
  let counted = Number.NEGATIVE_INFINITY

  const count = async () => {
    const { margins: found, degraded, repairing, objects, memory } = await gateway.storage.report()
    for (const { margin } of found) margins.add(String(margin))
    for (const margin of margins) {
      const now = found.find((one) => String(one.margin) === margin)
      gauge('pelago_segments', { margin }).set(now?.segments ?? 0)
      gauge('pelago_segment_bytes', { margin }).set(now?.bytes ?? 0)
    }
    gauge('pelago_segments_degraded', {}).set(degraded)
    gauge('pelago_segments_repairing', {}).set(repairing)
    gauge('pelago_objects', {}).set(objects)
    for (const budget of budgets) {
      gauge('pelago_memory_used_bytes', { budget }).set(memory[budget].usedBytes)
      gauge('pelago_memory_limit_bytes', { budget }).set(memory[budget].limitBytes)
    }
  }
  metrics.onRead(async () => {
    const { version, expiresAt, providers } = gateway.directory()
    gauge('pelago_directory_version', {}).set(version)
    gauge('pelago_directory_expires_seconds', {}).set(expiresAt / 1000)
    for (const { id: provider } of providers) {
      const { state, full, status } = gateway.storage.provider(provider)
      gauge('pelago_provider_alive', { provider }).set(state === 'alive' ? 1 : 0)
      gauge('pelago_provider_full', { provider }).set(full ? 1 : 0)
      if (!status) continue
      gauge('pelago_provider_used_bytes', { provider }).set(status.usedBytes)
      gauge('pelago_provider_quota_bytes', { provider }).set(status.quotaBytes)
    }
    if (gateway.now() - counted < countedMs) return
    counted = gateway.now()
    await count().catch(() => failed.add())
  })
}
