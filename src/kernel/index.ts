/** Words that every plane shares. No effects: no clock, disk, socket, randomness. */
export { compareBytes, compareUtf8, concat, fromUtf8, release, utf8 } from './bytes.ts'
export { canonicalJson, type Json } from './canonical.ts'
export {
  type Body,
  type Database,
  type Isolation,
  type Migration,
  type Row,
  type Statement,
  sharing,
  sql,
  type Value,
} from './database.ts'
export { databaseError } from './database-errors.ts'
export type { EgressAnswer, EgressFetch, EgressRequest } from './egress.ts'
export { type Details, type ErrorKind, type ErrorRow, errorTable, hasCode, PelagoError, reasonOf } from './errors.ts'
export { type HmacKey, hmacHex, hmacKey, hmacOf } from './hmac.ts'
export {
  type Counter,
  type Gauge,
  type Histogram,
  type LabelValues,
  type MeterOf,
  type MetricRow,
  type MetricTable,
  type Metrics,
  meterOf,
  noMetrics,
  secondsBuckets,
} from './metrics.ts'
export { noSpans, type Span, type Spans, type Trail } from './spans.ts'
export {
  type Call,
  type Clock,
  type HashAlgorithm,
  type Log,
  type LogLevel,
  type Offload,
  type OffloadedHash,
  type Random,
  turn,
} from './ports.ts'
export { type Role, roleNames } from './role.ts'
export { sizeText } from './size-text.ts'
