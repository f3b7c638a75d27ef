import { type Clock, type Log, release } from '#kernel'
import type { S3Handler, S3Response } from '#s3'
import type { Exchange } from './http-connection.ts'
import { type HttpServer, openHttpServer } from './http-server.ts'
import type { Listen } from './listen.ts'

const limits = { connectionsMost: 2000, silentMs: 60_000, idleMs: 65_000, closeMs: 10_000, headMost: 16 * 1024 }
/** Bodies come in pieces of this size; large ones cost fewer turns of the loop. */
const pieceBytes = 256 * 1024
/** Up to here a body is offered whole: 64 KiB and what frames them. */
const wholeBytes = 68 * 1024

/** Serves the S3 handler over HTTP/1.1. @param listen.port 0 for any */
export async function openS3Server(
  ports: { handle: S3Handler; clock: Clock; log: Log },
  listen: Listen,
): Promise<HttpServer> {
  const handle = (exchange: Exchange) => serve(ports, exchange)
  return openHttpServer(ports.clock, listen, { ...limits, direct: true, handle })
}

type Ports = Parameters<typeof openS3Server>[0]

async function serve({ handle, log }: Ports, exchange: Exchange): Promise<void> {
  try {
    const answer = await handle({
      method: exchange.method,
      target: exchange.target,
      headers: exchange.headers,
      body: { [Symbol.asyncIterator]: () => bodyOf(exchange) },
      whole: exchange.bodyLength <= wholeBytes ? () => wholeOf(exchange) : undefined,
      signal: exchange.left,
    })
    if (!exchange.left.aborted) await send(exchange, answer)
  } catch (error) {
    if (!exchange.left.aborted)
      log('error', 's3.broken', { reason: error instanceof Error ? error.message : String(error) })
    exchange.cut()
  }
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
