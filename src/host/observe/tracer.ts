import { AsyncLocalStorage } from 'node:async_hooks'
import type { Random, Span, Spans, Trail } from '#kernel'
import type { SpanKind, TracedSpan } from './otlp.ts'

export type TracerConfig = {
  /** Share of requests that are kept whatever becomes of them, 0 to 1. */
  sample: number
  /** Requests that take at least so long are kept too, milliseconds. */
  slowMs: number
  /**
   * What a provider is told of a trace. `unlinked`: numbers that are new for each request, so that it can link no two of them;
   * `linked`: the trace's own, for providers that are your own; `none`: nothing.
   */
  providers: 'unlinked' | 'linked' | 'none'
}

/** A request at an edge, while it is traced. */
export type RequestSpan = Span & { name(name: string): void }

export type Tracer = Spans & {
  /** Runs `act` as a request at this process's edge. What it is worth keeping is known at its end. */
  request<T>(name: string, traceparent: string | undefined, act: (span: RequestSpan) => Promise<T>): Promise<T>
  /** Begins a request to a provider, and the header that tells it; undefined where nothing is traced. */
  ask(name: string): { span: Span; header: string | undefined } | undefined
  /** The number of the trace that is under way, for the log. */
  traceId(): string | undefined
}

/** Spans of one trace, or of a step that several traces share. */
type Sink = { spans: TracedSpan[]; shared: { sink: Sink; parent: string }[]; over: boolean; dropped: number }
type Root = Sink & { traceId: string; sampled: boolean }
type Context = { sink: Sink; root: Root | undefined; parent: string }

/** A request that makes more steps is told as far as that; nothing grows with the size of an object. */
const spansMost = 500
/** Traces kept in one second because they are slow or failed, or because the client asked for it. */
const tailMost = 20
const askedMost = 20
const second = 1000
const parentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/**
 * Opens a tracer. Every request makes its spans, because only at the end it is known whether it was slow or failed; most are
 * then forgotten. Source: W3C Trace Context, level 1.
 * @param keep takes the spans of a trace that is kept
 * @param lost hears of a trace that was worth keeping but is one too many
 */
export function openTracer(
  ports: { random: Random; keep(spans: TracedSpan[]): void; lost(): void },
  config: TracerConfig,
): Tracer {
  const storage = new AsyncLocalStorage<Context>()
  const fresh = (bytes: number) => Buffer.from(ports.random.bytes(bytes)).toString('hex')
  const tail = perSecond(tailMost)
  const asked = perSecond(askedMost)

  const open = (context: Context, name: string, kind: SpanKind): TracedSpan => ({
    traceId: '',
    spanId: fresh(8),
    parentSpanId: context.parent,
    name,
    kind,
    from: now(),
    to: 0,
    attributes: {},
  })
  /** A trace has its first span, however many others it has. */
  const close = ({ sink }: Context, span: TracedSpan, error?: unknown) => {
    if (span.to !== 0) return
    span.to = now()
    if (error !== undefined) span.failed = codeOf(error)
    if (sink.over) return
    if (sink.spans.length >= spansMost && span.kind !== 'server') sink.dropped++
    else sink.spans.push(span)
  }
  const spanOf = (context: Context, span: TracedSpan): Span => ({
    note(name, value) {
      span.attributes[name] = value
    },
    end: (error) => close(context, span, error),
  })
  const run = async <T>(context: Context, span: TracedSpan, act: () => Promise<T>): Promise<T> => {
    try {
      const value = await storage.run({ ...context, parent: span.spanId }, act)
      close(context, span)
      return value
    } catch (error) {
      close(context, span, error)
      throw error
    }
  }
  const decide = (root: Root, span: TracedSpan, wanted: boolean): boolean => {
    if (root.sampled) return true
    if (wanted && asked()) return true
    if (span.failed === undefined && span.to - span.from < config.slowMs) return false
    if (tail()) return true
    ports.lost()
    return false
  }

  return {
    current: () => storage.getStore() as unknown as Trail | undefined,
    traceId: () => storage.getStore()?.root?.traceId,
    begin(name) {
      const context = storage.getStore()
      return context && spanOf(context, open(context, name, 'internal'))
    },
    within(name, act) {
      const context = storage.getStore()
      return context ? run(context, open(context, name, 'internal'), act) : act()
    },
    joint(name, trails, act) {
      const live = (trails as unknown as (Context | undefined)[]).filter((trail) => trail && !trail.sink.over)
      if (live.length === 0) return storage.exit(act)
      const sink: Sink = { spans: [], shared: [], over: false, dropped: 0 }
      for (const context of live) context?.sink.shared.push({ sink, parent: context.parent })
      const context: Context = { sink, root: undefined, parent: '' }
      return run(context, open(context, name, 'internal'), act)
    },
    async request(name, traceparent, act) {
      const [, traceId, parent, flags] = parentForm.exec(traceparent ?? '') ?? []
      const known = traceId !== undefined && !/^0+$/.test(traceId) && !/^0+$/.test(parent ?? '')
      const root: Root = {
        traceId: known ? traceId : fresh(16),
        sampled: chance(ports.random) < config.sample,
        spans: [],
        shared: [],
        over: false,
        dropped: 0,
      }
      const wanted = known && (Number.parseInt(flags ?? '0', 16) & 1) === 1
      const context: Context = { sink: root, root, parent: known ? (parent ?? '') : '' }
      const span = open(context, name, 'server')
      const given = spanOf(context, span)
      try {
        return await storage.run({ ...context, parent: span.spanId }, () =>
          act({
            ...given,
            name(named) {
              span.name = named
            },
          }),
        )
      } catch (error) {
        given.end(error)
        throw error
      } finally {
        given.end()
        root.over = true
        if (decide(root, span, wanted)) ports.keep(spansOf(root))
        root.spans = []
        root.shared = []
      }
    },
    ask(name) {
      const context = storage.getStore()
      if (!context || context.sink.over) return undefined
      const span = open(context, name, 'client')
      const told = { span: spanOf(context, span), header: undefined as string | undefined }
      const own = context.root
      if (config.providers === 'linked' && own)
        told.header = `00-${own.traceId}-${span.spanId}-${own.sampled ? '01' : '00'}`
      else if (config.providers !== 'none') {
        // That it is kept is not told: providers that compare notes would find the few that are.
        span.link = { traceId: fresh(16), spanId: fresh(8) }
        told.header = `00-${span.link.traceId}-${span.link.spanId}-00`
      }
      return told
    },
  }
}

/** All spans of a trace, those that it shares with others as its own. */
function spansOf(root: Root): TracedSpan[] {
  const own = (spans: TracedSpan[]) => spans.map((span) => ({ ...span, traceId: root.traceId }))
  const shared = root.shared.flatMap(({ sink, parent }) =>
    own(sink.spans).map((span) => (span.parentSpanId === '' ? { ...span, parentSpanId: parent } : span)),
  )
  const all = [...own(root.spans), ...shared]
  const first = all.find(({ kind }) => kind === 'server')
  const dropped = root.dropped + root.shared.reduce((sum, { sink }) => sum + sink.dropped, 0)
  if (first && dropped > 0) first.attributes['pelago.spans.dropped'] = dropped
  return all
}

const chance = (random: Random) => Buffer.from(random.bytes(4)).readUInt32LE() / 2 ** 32
/** Milliseconds since 1970 with a fraction, of a clock that does not jump. */
const now = () => performance.timeOrigin + performance.now()

/** @returns whether one more is within so many in this second */
function perSecond(most: number): () => boolean {
  let [began, count] = [0, 0]
  return () => {
    const at = performance.now()
    if (at - began >= second) [began, count] = [at, 0]
    return ++count <= most
  }
}

/** Codes are ours and say no names; what others throw is told by its kind alone. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  if (typeof code === 'string') return code
  return error instanceof Error ? error.name : 'unknown'
}
