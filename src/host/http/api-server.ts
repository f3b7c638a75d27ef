import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { apiError, checkOutput, inputOf, matchOperation, problemOf } from '#api'
import type { Call, Clock, Log, Random } from '#kernel'
import type { Handler } from '#roles'
import { listenOn } from './listen.ts'

export type ApiServer = { port: number; close(): Promise<void> }

const bodyMost = 256 * 1024
const bodyMs = 10_000
const answerMs = 120_000
const connectionsMost = 100

type Ports = { handlers: readonly Handler[]; token: string; tenant: string; clock: Clock; random: Random; log: Log }

/** Serves operations of the API over HTTP to whoever has the token. Input and output are checked against the contract. */
export async function openApiServer(ports: Ports, listen: { host: string; port: number }): Promise<ApiServer> {
  const server = createServer(
    { headersTimeout: bodyMs, requestTimeout: 2 * bodyMs, maxHeaderSize: 8192 },
    (request, response) => {
      const trace = Buffer.from(ports.random.bytes(8)).toString('hex')
      answer(ports, request, response, trace).then(
        (output) => send(response, 200, 'application/json', output ?? {}),
        (error: unknown) => {
          const problem = problemOf(error, trace)
          if (problem.status >= 500) {
            const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
            ports.log('error', 'api.failed', { trace, code: problem.code, reason })
          }
          send(response, problem.status, 'application/problem+json', problem)
        },
      )
    },
  )
  server.maxConnections = connectionsMost
  await listenOn(server, listen)
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  ports: Ports,
  request: IncomingMessage,
  response: ServerResponse,
  trace: string,
): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://api')
  const method = request.method ?? ''
  const operations = ports.handlers.map(({ operation }) => operation)
  const found = matchOperation(operations, method, url.pathname)
  if (!found) throw apiError('operation.missing', { method, path: url.pathname })
  const { operation, fields } = found
  if (!operation.roles.includes('anyone') && !knows(ports.token, request.headers.authorization)) {
    throw apiError('request.unauthenticated')
  }
  const input = inputOf(operation, fields, url.searchParams, await bodyOf(request))
  const left = new AbortController()
  response.on('close', () => left.abort(new Error('the client has left')))
  const call: Call = {
    actor: 'operator',
    tenant: ports.tenant,
    signal: AbortSignal.any([left.signal, AbortSignal.timeout(answerMs)]),
    trace,
  }
  const handler = ports.handlers.find((one) => one.operation === operation) as Handler
  return checkOutput(operation, await handler.answer(call, input))
}

function knows(token: string, authorization: string | undefined): boolean {
  const stated = Buffer.from(authorization ?? '')
  const right = Buffer.from(`Bearer ${token}`)
  return stated.length === right.length && timingSafeEqual(stated, right)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyMost) throw apiError('request.large', { limit: bodyMost })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function send(response: ServerResponse, status: number, type: string, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length })
  response.end(bytes)
}
