import { Registry } from 'prom-client'
import type { Counter, Gauge, Histogram, MetricRow, Metrics } from '#kernel'

/** Numbers about this process, and their text as Prometheus reads it. */
export type OpenMetrics = Metrics & {
  contentType: string
  /** @returns all metrics; what cannot be brought up to date within a second is left as it was */
  text(): Promise<string>
}

/** Where one metric with one set of labels is counted. Reading makes the objects that prom-client wants, counting does not. */
type Series = { labels: Readonly<Record<string, string>>; value: number; counts?: Float64Array; sum: number }
type Kept = { row: MetricRow; series: Map<string, Series & Counter & Gauge & Histogram> }

/** What words a label may not say, because its list is closed or there are too many already, count as. */
const other = 'other'
const seriesMost = 2000
const updateMs = 1000

/**
 * Opens an empty set. prom-client writes the text; the counting is our own, because its counters look their labels up, and
 * allocate, at every call.
 */
export function openMetrics(): OpenMetrics {
  const registry = new Registry()
  const kept = new Map<string, Kept>()
  const words = new Map<string, Set<string>>()
  const updates: (() => Promise<void> | void)[] = []

  const known = (name: string, row: MetricRow): Kept => {
    const found = kept.get(name)
    if (found) return found
    const metric: Kept = { row, series: new Map() }
    kept.set(name, metric)
    const read = {
      name,
      help: row.help,
      type: row.kind,
      get: async () => ({ ...read, values: valuesOf(name, metric) }),
    }
    registry.registerMetric(read as unknown as Parameters<Registry['registerMetric']>[0])
    return metric
  }
  /** The word, where the label may say it. */
  const bounded = (name: string, row: MetricRow, label: string, word: string): string => {
    const allowed = row.labels?.[label]
    if (!allowed) throw new RangeError(`${name} has no label ${label}`)
    if (!('most' in allowed)) return allowed.includes(word) ? word : other
    const said = words.get(`${name} ${label}`) ?? new Set()
    words.set(`${name} ${label}`, said)
    if (!said.has(word) && said.size >= allowed.most) return other
    said.add(word)
    return word
  }
  return {
    resolve(_, name, row, labels) {
      const { series } = known(name, row)
      const safe: Record<string, string> = {}
      for (const label of Object.keys(row.labels ?? {})) safe[label] = bounded(name, row, label, labels[label] ?? other)
      const id = JSON.stringify(safe)
      const found = series.get(id)
      if (found) return found
      if (series.size >= seriesMost) throw new RangeError(`${name} has more than ${seriesMost} sets of labels`)
      const made = openSeries(safe, row)
      series.set(id, made)
      return made
    },
    onRead: (update) => void updates.push(update),
    contentType: registry.contentType,
    async text() {
      let cancel: NodeJS.Timeout | undefined
      const limit = new Promise<void>((resolve) => {
        cancel = setTimeout(resolve, updateMs)
      })
      // What fails is seen by its numbers, which stay as they were.
      await Promise.race([Promise.allSettled(updates.map(async (update) => update())), limit])
      clearTimeout(cancel)
      return registry.metrics()
    },
  }
}

function openSeries(labels: Record<string, string>, row: MetricRow): Series & Counter & Gauge & Histogram {
  const buckets = row.buckets ?? []
  const counts = row.kind === 'histogram' ? new Float64Array(buckets.length + 1) : undefined
  const series: Series & Counter & Gauge & Histogram = {
    labels,
    value: 0,
    sum: 0,
    ...(counts && { counts }),
    add(by = 1) {
      series.value += by
    },
    set(value) {
      series.value = value
    },
    observe(value) {
      let at = 0
      while (at < buckets.length && value > (buckets[at] as number)) at++
      if (counts) counts[at] = (counts[at] as number) + 1
      series.value++
      series.sum += value
    },
  }
  return series
}

type Read = { metricName?: string; labels: Record<string, string | number>; value: number }

function valuesOf(name: string, { row, series }: Kept): Read[] {
  const values: Read[] = []
  for (const { labels, value, counts, sum } of series.values()) {
    if (!counts) {
      values.push({ labels, value })
      continue
    }
    let below = 0
    for (const [at, count] of counts.entries()) {
      below += count
      values.push({
        metricName: `${name}_bucket`,
        labels: { ...labels, le: row.buckets?.[at] ?? '+Inf' },
        value: below,
      })
    }
    values.push({ metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value })
  }
  return values
}
