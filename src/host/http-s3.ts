import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Log, release } from '#kernel'
import type { S3Handler, S3Response } from '#s3'
import { listenOn } from './listen.ts'

export type S3Server = { port: number; close(): Promise<void> }

const connectionsMost = 2000
/** A connection on which nothing moves for this long is given up. */
const silentMs = 60_000
const closeMs = 10_000
/** Chunks of a socket; large ones cost fewer turns of the loop. */
const socketBytes = 256 * 1024

/** Serves the S3 handler over HTTP/1.1. @param listen.port 0 for any */
export async function openS3Server(
  ports: { handle: S3Handler; log: Log },
  listen: { host: string; port: number },
): Promise<S3Server> {
  const server = createServer(
    {
      keepAliveTimeout: 65_000,
      headersTimeout: silentMs,
      requestTimeout: 0,
      maxHeaderSize: 32 * 1024,
      highWaterMark: socketBytes,
      noDelay: true,
    },
    (request, response) => serve(ports, request, response),
  )
  // The body is asked for only when the request was found to be good: the first read says "continue".
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
    serve(ports, request, response, true),
  )
  server.maxConnections = connectionsMost
  await listenOn(server, listen)
  return { port: (server.address() as AddressInfo).port, close: () => close(server) }
}

type Ports = Parameters<typeof openS3Server>[0]

function serve({ handle, log }: Ports, request: IncomingMessage, response: ServerResponse, awaited = false): void {
  const left = new AbortController()
  request.setTimeout(silentMs, () => request.destroy(new Error('the client was silent for too long')))
  response.on('close', () => {
    if (!response.writableFinished) left.abort(new Error('the client has left'))
  })
  request.on('error', (error) => left.abort(error))
  handle({
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    headers: headersOf(request),
    body: bodyOf(request, awaited ? response : undefined),
    signal: left.signal,
  })
    .then((answer) => send(request, response, answer))
    .catch((error: unknown) => {
      // After the head is sent there is no other way to say that the rest will not come.
      if (!left.signal.aborted)
        log('error', 's3.broken', { reason: error instanceof Error ? error.message : String(error) })
      response.destroy()
    })
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value
  }
  return headers
}

async function* bodyOf(request: IncomingMessage, awaiting: ServerResponse | undefined): AsyncGenerator<Uint8Array> {
  awaiting?.writeContinue()
  for await (const chunk of request as AsyncIterable<Buffer>) yield chunk
  if (!request.complete) throw new Error('the client broke off')
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: S3Response,
): Promise<void> {
  // A body that was not read is not waited for: the connection ends with the answer.
  if (!request.complete && request.headers['content-length'] !== '0' && hasBody(request)) headers.connection = 'close'
  if (body === undefined || body instanceof Uint8Array) {
    if (headers['content-length'] === undefined && status !== 204 && status !== 304)
      headers['content-length'] = String(body?.length ?? 0)
    response.writeHead(status, headers)
    response.end(body)
    return
  }
  response.writeHead(status, headers)
  for await (const chunk of body) {
    if (response.destroyed) return
    if (!response.write(chunk, () => release(chunk))) await drained(response)
  }
  response.end()
}

const hasBody = (request: IncomingMessage) =>
  request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off('drain', go)
      response.off('close', go)
      resolve()
    }
    response.on('drain', go)
    response.on('close', go)
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), closeMs).unref()
  })
}
