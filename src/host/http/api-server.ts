import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Authenticate, Principal, RequestHead } from '#access'
import { apiError, checkOutput, inputOf, matchOperation, mayAsk, type Operation, problemOf } from '#api'
import { type Clock, type Log, PelagoError, type Random } from '#kernel'
import type { ApiCall, Handler } from '#roles'
import type { ApiMeter } from '../observe/api-metrics.ts'
import type { SelfReport, Told } from '../observe/self-report.ts'
import { listenOn } from './listen.ts'

export type ApiServer = { port: number; close(): Promise<void> }

const bodyMost = 256 * 1024
const bodyMs = 10_000
const answerMs = 120_000
const connectionsMost = 100

type Ports = {
  handlers: readonly Handler[]
  authenticate: Authenticate
  clock: Clock
  random: Random
  log: Log
  /** What the role says about itself beside its operations. */
  report?: SelfReport
  meter?: ApiMeter
}

/** Serves operations of the API over HTTP to whoever may ask them. Input and output are checked against the contract. */
export async function openApiServer(ports: Ports, listen: { host: string; port: number }): Promise<ApiServer> {
  const server = createServer(
    { headersTimeout: bodyMs, requestTimeout: 2 * bodyMs, maxHeaderSize: 8192 },
    (request, response) => {
      const told = ports.report?.answer(askedOf(request))
      if (told) return void told.then((answer) => tell(response, answer))
      const began = performance.now()
      const trace = Buffer.from(ports.random.bytes(8)).toString('hex')
      response.once('close', () => ports.meter?.(operationOf(ports, request), response.statusCode, began))
      answer(ports, request, response, trace).then(
        (output) => send(response, 200, 'application/json', output ?? {}),
        (error: unknown) => {
          const problem = error instanceof Unproved ? problemOf(error.why, trace, 401) : problemOf(error, trace)
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
  const head = headOf(request)
  const principal = await principalOf(ports, operation, head)
  const input = inputOf(operation, fields, url.searchParams, await bodyOf(request))
  const left = new AbortController()
  response.on('close', () => left.abort(new Error('the client has left')))
  const call: ApiCall = {
    actor: principal?.actor ?? 'anyone',
    tenant: principal?.tenant ?? '',
    principal,
    expected: expectedOf(head),
    address: head.address,
    headers: head.headers,
    setCookie: (cookie) => response.appendHeader('set-cookie', cookie),
    signal: AbortSignal.any([left.signal, AbortSignal.timeout(answerMs)]),
    trace,
  }
  const handler = ports.handlers.find((one) => one.operation === operation) as Handler
  return checkOutput(operation, await handler.answer(call, input))
}

/** @throws request.unauthenticated, request.forbidden, or why the proof that was given does not hold */
async function principalOf(
  { authenticate }: Ports,
  operation: Operation<unknown, unknown>,
  head: RequestHead,
): Promise<Principal | undefined> {
  if (mayAsk(operation, [])) return undefined
  const principal = await authenticate(head).catch((error: unknown) => {
    throw error instanceof PelagoError && error.kind === 'denied' ? new Unproved(error) : error
  })
  if (!principal) throw apiError('request.unauthenticated')
  if (mayAsk(operation, principal.roles)) return principal
  const [allowed, roles] = [operation.roles.join(', '), principal.roles.join(', ') || 'in none']
  throw apiError('request.forbidden', { operation: operation.id, allowed, roles })
}

/** A proof of who asks that does not hold: 401, in the words of whoever looked at it. */
class Unproved extends Error {
  readonly why: PelagoError
  constructor(why: PelagoError) {
    super(why.message)
    this.why = why
  }
}

function headOf({ method = '', url = '/', headers, socket }: IncomingMessage): RequestHead {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value
  return { method, target: url, headers: plain, address: socket.remoteAddress ?? '' }
}

/** The revision in `If-Match`, without its quotes; `*` expects nothing. Source: RFC 9110, 13.1.1. */
function expectedOf({ headers }: RequestHead): string | undefined {
  const stated = headers['if-match']?.trim()
  return stated === undefined || stated === '*' ? undefined : stated.replace(/^"(.*)"$/, '$1')
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

function operationOf({ handlers }: Ports, { method = '', url = '/' }: IncomingMessage): string {
  const operations = handlers.map(({ operation }) => operation)
  return matchOperation(operations, method, url.split('?')[0] ?? '')?.operation.id ?? 'none'
}

function askedOf({ method = '', url = '/', headers, socket }: IncomingMessage) {
  return { method, path: url.split('?')[0] ?? '', headers, address: socket.remoteAddress ?? '' }
}

function tell(response: ServerResponse, { status, type, body }: Told): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function send(response: ServerResponse, status: number, type: string, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length })
  response.end(bytes)
}
