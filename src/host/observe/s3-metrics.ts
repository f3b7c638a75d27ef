import { type Counter, type Histogram, type Metrics, meterOf, secondsBuckets } from '#kernel'
import { type OperationName, operationNames } from '#s3'

const statuses = [200, 204, 206, 304, 400, 403, 404, 405, 408, 409, 411, 412, 416, 500, 501, 503] as const
const refusals = ['connections', 'address', 'slow', 'long'] as const

export const s3Metrics = {
  pelago_s3_requests_total: {
    kind: 'counter',
    help: 'Requests at the S3 endpoint by operation and status; left: the client was gone before the answer was out.',
    labels: { operation: operationNames, status: [...statuses.map(String), 'left'] },
  },
  pelago_s3_request_seconds: {
    kind: 'histogram',
    help: 'Time from the head of a request to the end of its answer.',
    labels: { operation: operationNames },
    buckets: secondsBuckets,
  },
  pelago_s3_received_bytes_total: { kind: 'counter', help: 'Bytes of bodies that were taken in.' },
  pelago_s3_sent_bytes_total: { kind: 'counter', help: 'Bytes of bodies that were sent.' },
  pelago_s3_requests_active: { kind: 'gauge', help: 'Requests that are under way.' },
  pelago_s3_connections: { kind: 'gauge', help: 'Connections that are open.' },
  pelago_s3_closed_total: {
    kind: 'counter',
    help: 'Connections that were closed because of a limit of the edge.',
    labels: { limit: refusals },
  },
} as const

type OfOperation = { seconds: Histogram; statuses: Map<number | 'left', Counter> }

/** Counts requests of the S3 edge. Every place is looked up once, so a request costs a few additions. */
export type S3Meter = {
  begun(): void
  /** @param status `left`: the client did not wait for it. @param seconds since the request's head */
  ended(operation: OperationName, status: number | 'left', seconds: number, received: number, sent: number): void
  closed(limit: (typeof refusals)[number]): void
}

/** @param connections how many are open now */
export function openS3Meter(metrics: Metrics, connections: () => number): S3Meter {
  const meter = meterOf(metrics, s3Metrics)
  const operations = new Map<OperationName, OfOperation>()
  const received = meter.counter('pelago_s3_received_bytes_total', {})
  const sent = meter.counter('pelago_s3_sent_bytes_total', {})
  const active = meter.gauge('pelago_s3_requests_active', {})
  const open = meter.gauge('pelago_s3_connections', {})
  const closed = Object.fromEntries(
    refusals.map((limit) => [limit, meter.counter('pelago_s3_closed_total', { limit })]),
  )
  let underWay = 0
  metrics.onRead(() => {
    active.set(underWay)
    open.set(connections())
  })
  const of = (operation: OperationName): OfOperation => {
    const known = operations.get(operation)
    if (known) return known
    const made = { seconds: meter.histogram('pelago_s3_request_seconds', { operation }), statuses: new Map() }
    operations.set(operation, made)
    return made
  }
  return {
    begun() {
      underWay++
    },
    ended(operation, status, seconds, got, gave) {
      underWay--
      const counts = of(operation)
      let counter = counts.statuses.get(status)
      if (!counter) {
        counter = meter.counter('pelago_s3_requests_total', { operation, status: String(status) })
        counts.statuses.set(status, counter)
      }
      counter.add()
      counts.seconds.observe(seconds)
      if (got > 0) received.add(got)
      if (gave > 0) sent.add(gave)
    },
    closed: (limit) => closed[limit]?.add(),
  }
}
