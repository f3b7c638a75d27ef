import { type Counter, type Histogram, type Metrics, meterOf, secondsBuckets } from '#kernel'
import type { ShardStoreStatus } from '#storage'

const requests = ['put', 'get', 'delete', 'list', 'status', 'other'] as const
const statuses = [200, 201, 400, 403, 404, 409, 416, 500, 507] as const

export const nodeMetrics = {
  pelago_node_requests_total: {
    kind: 'counter',
    help: 'Requests of gateways at this provider, by status; left: the gateway did not wait for the answer.',
    labels: { request: requests, status: [...statuses.map(String), 'left'] },
  },
  pelago_node_request_seconds: {
    kind: 'histogram',
    help: 'Time from the head of a request to its answer.',
    labels: { request: requests },
    buckets: secondsBuckets,
  },
  pelago_node_received_bytes_total: { kind: 'counter', help: 'Bytes of shards that were taken in.' },
  pelago_node_sent_bytes_total: { kind: 'counter', help: 'Bytes of shards that were sent.' },
  pelago_node_shards: { kind: 'gauge', help: 'Shards that are stored.' },
  pelago_node_trashed_shards: { kind: 'gauge', help: 'Shards that lie in the trash.' },
  pelago_node_used_bytes: { kind: 'gauge', help: 'Bytes that are taken, trash and promised room among them.' },
  pelago_node_quota_bytes: { kind: 'gauge', help: 'Bytes that this provider may hold.' },
  pelago_node_syncs_total: { kind: 'counter', help: 'Syncs of files and folders since the process began.' },
} as const

export type NodeRequest = (typeof requests)[number]

/** Counts what a provider is asked. */
export type NodeMeter = {
  ended(request: NodeRequest, status: number | 'left', began: number, received: number, sent: number): void
}

export function openNodeMeter(metrics: Metrics, node: { status(): ShardStoreStatus }): NodeMeter {
  const { counter, gauge, histogram } = meterOf(metrics, nodeMetrics)
  const counters = new Map<NodeRequest, Map<number | 'left', Counter>>()
  const seconds = new Map<NodeRequest, Histogram>()
  for (const request of requests) {
    counters.set(request, new Map())
    seconds.set(request, histogram('pelago_node_request_seconds', { request }))
  }
  const received = counter('pelago_node_received_bytes_total', {})
  const sent = counter('pelago_node_sent_bytes_total', {})
  const syncs = counter('pelago_node_syncs_total', {})
  let synced = 0
  metrics.onRead(() => {
    const status = node.status()
    gauge('pelago_node_shards', {}).set(status.shards)
    gauge('pelago_node_trashed_shards', {}).set(status.trashedShards)
    gauge('pelago_node_used_bytes', {}).set(status.usedBytes)
    gauge('pelago_node_quota_bytes', {}).set(status.quotaBytes)
    syncs.add(status.syncs - synced)
    synced = status.syncs
  })
  return {
    ended(request, status, began, got, gave) {
      const known = counters.get(request)
      let counted = known?.get(status)
      if (!counted) {
        counted = counter('pelago_node_requests_total', { request, status: String(status) })
        known?.set(status, counted)
      }
      counted.add()
      seconds.get(request)?.observe((performance.now() - began) / 1000)
      if (got > 0) received.add(got)
      if (gave > 0) sent.add(gave)
    },
  }
}
