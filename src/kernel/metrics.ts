/** What a label may say: one of a closed list, or any word, of which so many different ones are told apart at the most. */
export type LabelValues = readonly string[] | { most: number }

/**
 * One metric of a plane's table. Labels are bounded, and never name a bucket, an object, a key or a tenant: metrics are read by
 * people who may not know those.
 */
export type MetricRow = {
  kind: 'counter' | 'gauge' | 'histogram'
  help: string
  labels?: Readonly<Record<string, LabelValues>>
  /** Upper bounds of a histogram's buckets, ascending; in seconds or bytes, as the metric's name says. */
  buckets?: readonly number[]
}
export type MetricTable = Readonly<Record<string, MetricRow>>

export type Counter = { add(by?: number): void }
export type Gauge = { set(value: number): void }
export type Histogram = { observe(value: number): void }

type Meters = { counter: Counter; gauge: Gauge; histogram: Histogram }
type Named<T extends MetricTable, K extends MetricRow['kind']> = {
  [N in keyof T]: T[N]['kind'] extends K ? N : never
}[keyof T] &
  string
type LabelsOf<R extends MetricRow> =
  R['labels'] extends Readonly<Record<string, LabelValues>>
    ? { [L in keyof R['labels']]: R['labels'][L] extends readonly (infer V)[] ? V : string }
    : Readonly<Record<string, never>>

/** A plane's metrics, by the names of its table. What is asked for is resolved once and kept: using it allocates nothing. */
export type MeterOf<T extends MetricTable> = {
  counter<N extends Named<T, 'counter'>>(name: N, labels: LabelsOf<T[N]>): Counter
  gauge<N extends Named<T, 'gauge'>>(name: N, labels: LabelsOf<T[N]>): Gauge
  histogram<N extends Named<T, 'histogram'>>(name: N, labels: LabelsOf<T[N]>): Histogram
}

/** Where numbers about this process are kept until somebody asks for them. */
export type Metrics = {
  /** The same place for the same name and labels, however often it is asked for. */
  resolve<K extends MetricRow['kind']>(
    kind: K,
    name: string,
    row: MetricRow,
    labels: Readonly<Record<string, string>>,
  ): Meters[K]
  /** Called before the numbers are read, to bring gauges up to date; within limits of the caller's. */
  onRead(update: () => Promise<void> | void): void
}

const nothing: Counter & Gauge & Histogram = { add() {}, set() {}, observe() {} }

/** Keeps nothing. */
export const noMetrics: Metrics = { resolve: () => nothing, onRead() {} }

/** The metrics of one table, with its names and labels checked by the compiler. */
export function meterOf<const T extends MetricTable>(metrics: Metrics, table: T): MeterOf<T> {
  const resolve =
    <K extends MetricRow['kind']>(kind: K) =>
    (name: string, labels: object): Meters[K] =>
      metrics.resolve(kind, name, table[name] as MetricRow, labels as Record<string, string>)
  return { counter: resolve('counter'), gauge: resolve('gauge'), histogram: resolve('histogram') }
}

/** Bounds for times of requests, in seconds: from a tenth of a millisecond, as most small reads take, to half a minute. */
export const secondsBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const
