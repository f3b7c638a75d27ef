import { type Clock, type Log, type Metrics, noMetrics, reasonOf, release } from '#kernel'
import type { OperationName, S3Handler, S3Response } from '#s3'
import type { Tracer } from '../observe/tracer.ts'
import { openS3Meter, type S3Meter } from '../observe/s3-metrics.ts'
import { type Exchange, lookMs } from './http-connection.ts'
import { type HttpServer, openHttpServer } from './http-server.ts'
import type { Listen } from './listen.ts'
import { type S3Limits, s3LimitsOf } from './s3-limits.ts'
import { noProxies, type TrustedProxies } from './trusted-proxies.ts'

/** When the server closes, requests under way have so long to come to their end. */
const closeMs = 10_000
/** Bodies come in pieces of this size; large ones cost fewer turns of the loop. */
const pieceBytes = 256 * 1024
/** Up to here a body is offered whole: 64 KiB and what frames them. */
const wholeBytes = 68 * 1024

/** Serves the S3 handler over HTTP/1.1. @param listen.port 0 for any; with `listen.tls` over TLS, see `TlsListen` */
export async function openS3Server(
  ports: {
    handle: S3Handler
    clock: Clock
    log: Log
    metrics?: Metrics
    tracer?: Tracer | undefined
    /** Who may say for whom he asks; nobody without. */
    proxies?: TrustedProxies
  },
  listen: Listen,
  limits: S3Limits = s3LimitsOf(),
): Promise<HttpServer> {
  const meter = openS3Meter(ports.metrics ?? noMetrics, () => server.connections())
  const { tracer, proxies = noProxies } = ports
  const known = { ...ports, proxies }
  const handle = tracer
    ? (exchange: Exchange) => traced(tracer, exchange, () => serve(known, meter, exchange))
    : (exchange: Exchange) => serve(known, meter, exchange)
  const server: HttpServer = await openHttpServer(ports, listen, {
    connectionsMost: limits.connections,
    perAddressMost: limits.connectionsPerAddress,
    shared: proxies.includes,
    silentMs: limits.silentMs,
    idleMs: limits.restMs,
    headMost: limits.headBytes,
    headMs: limits.headMs,
    headersMost: limits.headers,
    slow: { bytesPerSecond: limits.slowBytesPerSecond, graceMs: limits.slowMs },
    requestMs: limits.requestMs,
    lookMs: Math.min(lookMs, limits.slowMs / 4),
    refused: meter.closed,
    closeMs,
    direct: true,
    handle,
  })
  return server
}

type Ports = Pick<Parameters<typeof openS3Server>[0], 'handle' | 'log'> & { proxies: TrustedProxies }

/** How a request ended, as far as its trace tells. */
type Ended = {
  operation: OperationName
  status: number | 'left'
  received: number
  sent: number
  id: string | undefined
}

/** The way in which a client is told of a trace, and we are by it, is the header `traceparent`. */
function traced(tracer: Tracer, { method, headers }: Exchange, act: () => Promise<Ended>): Promise<void> {
  return tracer.request('s3', headers.traceparent, async (span) => {
    const { operation, status, received, sent, id } = await act()
    span.name(`s3 ${operation}`)
    span.note('http.request.method', method)
    span.note('http.response.status_code', status === 'left' ? 499 : status)
    span.note('http.request.body.size', received)
    span.note('http.response.body.size', sent)
    if (id !== undefined) span.note('pelago.request_id', id)
    if (status === 'left' || status >= 500) span.end(new Error('failed'))
  })
}

async function serve({ handle, log, proxies }: Ports, meter: S3Meter, exchange: Exchange): Promise<Ended> {
  const began = performance.now()
  meter.begun()
  let answer: S3Response | undefined
  let whole = false
  try {
    answer = await handle({
      method: exchange.method,
      target: exchange.target,
      headers: exchange.headers,
      body: { [Symbol.asyncIterator]: () => bodyOf(exchange) },
      whole: exchange.bodyLength <= wholeBytes ? () => wholeOf(exchange) : undefined,
      signal: exchange.left,
      from: proxies.askerOf(exchange.address, exchange.headers),
      secure: exchange.secure,
    })
    if (!exchange.left.aborted) {
      await send(exchange, answer)
      whole = true
    }
  } catch (error) {
    if (!exchange.left.aborted) log('error', 's3.broken', { reason: reasonOf(error) })
    exchange.cut()
  }
  answer?.done?.()
  const { operation = 'none', status = 500 } = answer ?? {}
  const received = status < 300 ? exchange.bodyLength : 0
  const sent = whole && answer ? sentOf(exchange, answer) : 0
  const ended = whole ? status : 'left'
  meter.ended(operation, ended, (performance.now() - began) / 1000, received, sent)
  return { operation, status: ended, received, sent, id: answer?.headers['x-amz-request-id'] }
}

function sentOf({ method }: Exchange, { body, headers }: S3Response): number {
  if (method === 'HEAD' || body === undefined) return 0
  return body instanceof Uint8Array ? body.length : Number(headers['content-length'])
}

/** Out of Node's pool where it fits: fresh memory for each small body costs more than the rest of it. */
const wholeOf = ({ bodyLength, fill }: Exchange) => fill(Buffer.allocUnsafe(bodyLength))

/** One piece is being filled while the last one is looked at; who takes it gives it back or leaves it to the collector. */
async function* bodyOf({ bodyLength, fill }: Exchange): AsyncGenerator<Uint8Array> {
  let left = bodyLength
  const ahead: Promise<Buffer>[] = []
  const ask = () => {
    if (left === 0) return
    const piece = fill(Buffer.allocUnsafeSlow(Math.min(left, pieceBytes)))
    piece.catch(() => 'it is thrown where it is waited for')
    left -= Math.min(left, pieceBytes)
    ahead.push(piece)
  }
  ask()
  ask()
  for (let piece = ahead.shift(); piece; piece = ahead.shift()) {
    yield await piece
    ask()
  }
}

async function send(exchange: Exchange, { status, headers, body }: S3Response): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    if (headers['content-length'] === undefined && status !== 204 && status !== 304)
      headers['content-length'] = String(body?.length ?? 0)
    return exchange.answer(status, headers, body)
  }
  exchange.begin(status, headers, Number(headers['content-length']))
  for await (const piece of body) {
    await exchange.write(piece)
    release(piece)
  }
}
