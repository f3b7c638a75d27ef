import { type Log, type Metrics, meterOf } from '#kernel'
import { type Resource, type TracedSpan, tracesBody } from './otlp.ts'

export const traceMetrics = {
  pelago_traces_spans_total: {
    kind: 'counter',
    help: 'Spans by what became of them; full: too many waited; refused: the collector did not take them.',
    labels: { outcome: ['sent', 'full', 'refused'] },
  },
  pelago_traces_lost_total: {
    kind: 'counter',
    help: 'Slow or failed requests whose trace was one too many in its second.',
  },
} as const

export type TraceExport = {
  keep(spans: readonly TracedSpan[]): void
  lost(): void
  /** Sends what waits, within a limit. */
  close(): Promise<void>
}

/** Spans that may wait, and how many go out together. */
const waitingMost = 10_000
const togetherMost = 1000
const everyMs = 2000
const answerMs = 10_000
/** A collector that does not take a batch is asked again after this, doubled each time, and then no more. */
const pauseMs = 1000
const attempts = 4
const closeMs = 2000

/**
 * Sends spans to a collector in the background: requests never wait for it, and what it does not take is forgotten and counted.
 * @param endpoint such as `http://127.0.0.1:4318`; `/v1/traces` is added
 * @param authorization the header of that name
 */
export function openTraceExport(
  ports: { metrics: Metrics; log: Log },
  config: { endpoint: string; authorization?: string; resource: Resource },
): TraceExport {
  const { counter } = meterOf(ports.metrics, traceMetrics)
  const sent = counter('pelago_traces_spans_total', { outcome: 'sent' })
  const full = counter('pelago_traces_spans_total', { outcome: 'full' })
  const refused = counter('pelago_traces_spans_total', { outcome: 'refused' })
  const lost = counter('pelago_traces_lost_total', {})
  const url = `${config.endpoint.replace(/\/+$/, '')}/v1/traces`
  const headers = {
    'content-type': 'application/json',
    ...(config.authorization !== undefined && { authorization: config.authorization }),
  }
  let waiting: TracedSpan[] = []
  let sending: Promise<void> | undefined
  let closing = false

  const post = async (body: string): Promise<'taken' | 'never' | 'later'> => {
    try {
      const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(answerMs) })
      await response.body?.cancel()
      if (response.ok) return 'taken'
      return [429, 502, 503, 504].includes(response.status) ? 'later' : 'never'
    } catch {
      return 'later'
    }
  }
  const send = async (batch: TracedSpan[]) => {
    const body = tracesBody(config.resource, batch)
    for (let attempt = 1; ; attempt++) {
      const outcome = await post(body)
      if (outcome === 'taken') return sent.add(batch.length)
      if (outcome === 'never' || attempt === attempts || closing) {
        refused.add(batch.length)
        ports.log('warn', 'traces.unsent', { spans: batch.length, attempts: attempt })
        return
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs * 2 ** (attempt - 1)).unref())
    }
  }
  const flush = async () => {
    while (waiting.length > 0) await send(waiting.splice(0, togetherMost))
  }
  const begin = () => {
    sending ??= flush().finally(() => {
      sending = undefined
    })
    return sending
  }
  const timer = setInterval(() => void begin(), everyMs)
  timer.unref()
  return {
    keep(spans) {
      const room = Math.max(0, waitingMost - waiting.length)
      // Half a trace says the wrong thing.
      if (spans.length > room) full.add(spans.length)
      else waiting.push(...spans)
    },
    lost: () => lost.add(),
    async close() {
      closing = true
      clearInterval(timer)
      const limit = new Promise<void>((resolve) => setTimeout(resolve, closeMs).unref())
      await Promise.race([begin().then(begin), limit])
      waiting = []
    },
  }
}
