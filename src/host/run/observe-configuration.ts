import { choice, fields, integer, list, number, optional, type Static, text } from '#api'
import { s3Limits } from '../http/s3-limits.ts'

const path = text({ min: 1, max: 4096 })

/** What a role tells those who look after it; all of it may be left out. */
export const observeConfig = fields({
  /** Holds the token that `/metrics` wants; without it only this machine may read them. */
  metricsTokenFile: optional(path),
  /** Lines below this level are not written; `info` without. */
  logLevel: optional(choice('info', 'warn', 'error')),
  /** Where traces go; nothing is traced without. */
  traces: optional(
    fields({
      /** Of an OpenTelemetry collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`. */
      endpoint: text({ pattern: '^https?://', means: 'must be a URL' }),
      /** Holds what stands behind `Authorization:`, where the collector wants that. */
      authorizationFile: optional(path),
      sample: optional(number({ min: 0, max: 1 })),
      slowMs: optional(integer({ min: 1 })),
      providers: optional(choice('unlinked', 'linked', 'none')),
    }),
  ),
})
export type ObserveConfig = Static<typeof observeConfig>

/** Whoever stands before a gateway and says for whom he asks; nobody without. */
export const proxiesConfig = fields({
  networks: list(text({ min: 1, max: 50 }), 100),
  /** The one that they write; `X-Forwarded-For` without. */
  header: optional(choice('X-Forwarded-For', 'Forwarded')),
})

/** Bounds of the S3 edge that differ from the usual ones. */
export const edgeLimits = fields(
  Object.fromEntries(Object.keys(s3Limits).map((name) => [name, optional(integer({ min: 1 }))])) as Record<
    keyof typeof s3Limits,
    ReturnType<typeof optional<number>>
  >,
)
