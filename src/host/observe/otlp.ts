/**
 * Spans as OpenTelemetry collectors read them: OTLP 1.x in JSON. Names of fields are those of trace.proto in lower camel case;
 * numbers of 64 bits are decimal strings, `kind` and `code` are numbers, trace and span ids are hexadecimal.
 * Source: opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding".
 */
export type SpanKind = 'internal' | 'server' | 'client'

export type TracedSpan = {
  traceId: string
  spanId: string
  /** Empty for the first one. */
  parentSpanId: string
  name: string
  kind: SpanKind
  /** Milliseconds since 1970 UTC, with a fraction. */
  from: number
  to: number
  attributes: Record<string, string | number>
  /** The other side's own span. */
  link?: { traceId: string; spanId: string }
  /** A code, when it failed. */
  failed?: string
}

/** SpanKind of trace.proto. */
const kinds = { internal: 1, server: 2, client: 3 } as const
/** Status.StatusCode of trace.proto. */
const statusError = 2

export type Resource = { service: string; version: string; instance: string }

/** @returns the body of a request to `/v1/traces` */
export function tracesBody(resource: Resource, spans: readonly TracedSpan[]): string {
  const attributes = attributesOf({
    'service.name': resource.service,
    'service.version': resource.version,
    'service.instance.id': resource.instance,
  })
  const scope = { name: 'pelago', version: resource.version }
  return JSON.stringify({
    resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope, spans: spans.map(spanOf) }] }],
  })
}

function spanOf({ traceId, spanId, parentSpanId, name, kind, from, to, attributes, link, failed }: TracedSpan) {
  return {
    traceId,
    spanId,
    ...(parentSpanId !== '' && { parentSpanId }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanoseconds(from),
    endTimeUnixNano: nanoseconds(to),
    attributes: attributesOf(attributes),
    ...(link && { links: [link] }),
    ...(failed !== undefined && { status: { code: statusError, message: failed } }),
  }
}

function attributesOf(of: Record<string, string | number>) {
  return Object.entries(of).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : Number.isInteger(value)
          ? { intValue: String(value) }
          : { doubleValue: value },
  }))
}

/** To the microsecond, which is as fine as the clock is told. */
const nanoseconds = (ms: number) => `${Math.round(ms * 1000)}000`
