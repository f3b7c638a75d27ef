import { operations } from '#api'
import { type Metrics, meterOf, secondsBuckets } from '#kernel'

const names = [...Object.values(operations).map(({ id }) => id), 'none']

export const apiMetrics = {
  pelago_api_requests_total: {
    kind: 'counter',
    help: 'Requests at the API by operation and status; none: no such operation.',
    labels: { operation: names, status: { most: 32 } },
  },
  pelago_api_request_seconds: {
    kind: 'histogram',
    help: 'Time to the answer of the API.',
    labels: { operation: names },
    buckets: secondsBuckets,
  },
} as const

/** Counts one request at the API. @param began of `performance.now()` */
export type ApiMeter = (operation: string, status: number, began: number) => void

export function openApiMeter(metrics: Metrics): ApiMeter {
  const { counter, histogram } = meterOf(metrics, apiMetrics)
  return (operation, status, began) => {
    counter('pelago_api_requests_total', { operation, status: String(status) }).add()
    histogram('pelago_api_request_seconds', { operation }).observe((performance.now() - began) / 1000)
  }
}
