import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Authenticate, openRates, type Principal, type Rates, type RequestHead, runsServer } from '#access'
import {
  apiError,
  checkOutput,
  describeApi,
  inputOf,
  matchOperation,
  mayAsk,
  openApiOf,
  type Operation,
  type Problem,
  problemOf,
} from '#api'
import { type Clock, type Database, type Json, type Log, PelagoError, type Random, reasonOf } from '#kernel'
import { type ApiCall, type Handler, handles } from '#roles'
import { errorRows } from '../error-rows.ts'
import type { ApiMeter } from '../observe/api-metrics.ts'
import type { SelfReport, Told } from '../observe/self-report.ts'
import { type ApiLimits, apiLimits } from './api-limits.ts'
import { type Answer, type Once, openOnce, type Wish } from './api-once.ts'
import type { ConsoleFiles } from './console-files.ts'
import { sendEvents } from './api-stream.ts'
import { programVersion } from '../run/program-version.ts'
import { type Listen, listenOn } from './listen.ts'
import { noProxies, type TrustedProxies } from './trusted-proxies.ts'
import type { TlsMeter } from '../observe/tls-metrics.ts'
import { openTlsEdge, type TlsEdge, type TlsListen } from '../tls/tls-edge.ts'

/** How often connections are looked at whose heads and bodies are late, milliseconds. */
const lookMs = 1000
/** How long a handler whose time is up may take to say so, milliseconds. */
const unheardMs = 1000

export type ApiServer = { port: number; close(): Promise<void> }

type AnyOperation = Operation<unknown, unknown>
export type ApiPorts = {
  handlers: readonly Handler[]
  authenticate: Authenticate
  clock: Clock
  random: Random
  log: Log
  /** Where answers are remembered; needed when an operation has idempotency `key`. */
  answers?: Database
  /** What the role says about itself beside its operations. */
  report?: SelfReport
  meter?: ApiMeter
  /** Pages for people, on this server's own name. */
  pages?: ConsoleFiles
  /** Who may say for whom he asks; nobody without. */
  proxies?: TrustedProxies
  tlsMeter?: TlsMeter
}
type Edge = ApiPorts & {
  proxies: TrustedProxies
  limits: ApiLimits
  once: Once | undefined
  rates: { address: Rates; asker: Rates }
  requests: number
  /** Asker -> streams that he follows. */
  streams: Map<string, number>
  stop: AbortSignal
}
/** One request on its way through the edge. */
type Exchange = {
  request: IncomingMessage
  response: ServerResponse
  head: RequestHead
  trace: string
  left: AbortSignal
  /** Told which operation it was, for the numbers. */
  named(operation: string): void
}

/**
 * Serves operations of the API over HTTP to whoever may ask them. Input and output are checked against the contract.
 * @param limits what differs from the usual ones
 */
export async function openApiServer(
  ports: ApiPorts,
  listen: Listen,
  limits: Partial<ApiLimits> = {},
): Promise<ApiServer> {
  const stop = new AbortController()
  const most = { ...apiLimits, ...limits }
  const edge: Edge = {
    ...ports,
    proxies: ports.proxies ?? noProxies,
    handlers: [...ports.handlers, describing(ports.handlers)],
    limits: most,
    once: ports.answers && openOnce({ ...ports, database: ports.answers, stop: stop.signal }),
    rates: { address: openRates(ports.clock, most.rates.address), asker: openRates(ports.clock, most.rates.asker) },
    requests: 0,
    streams: new Map(),
    stop: stop.signal,
  }
  const keyed = ports.handlers.find(({ operation }) => operation.idempotency === 'key')
  if (keyed && !ports.answers) throw new Error(`${keyed.operation.id} needs a database that remembers its answers`)
  const server = createServer(
    {
      headersTimeout: most.headMs,
      requestTimeout: most.headMs + most.bodyMs,
      // Node looks every 30 s if it is not told otherwise, and nobody would be late before.
      connectionsCheckingInterval: Math.min(lookMs, Math.ceil(most.headMs / 4)),
      maxHeaderSize: most.headMost,
    },
    (request, response) => {
      if (ports.pages?.answer(request, response)) return
      const told = ports.report?.answer(askedOf(request))
      void (told ? told.then((answer) => tell(response, answer)) : serve(edge, request, response))
    },
  )
  server.maxConnections = most.connectionsMost
  limitAddresses(server, most.connectionsPerAddress, edge.proxies)
  const secure = listen.tls && secureFirst(server, ports, listen.tls)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseHead(edge, error, socket))
  await listenOn(server, listen)
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        stop.abort(new Error('the server closes'))
        server.close(() => resolve())
        server.closeAllConnections()
        secure?.close()
      }),
  }
}

/** Every server says what it answers, itself included. */
function describing(handlers: readonly Handler[]): Handler {
  const operations = [...handlers.map(({ operation }) => operation), describeApi]
  let document: Json | undefined
  return handles(
    describeApi,
    () => (document ??= openApiOf({ operations, errors: errorRows, version: programVersion() })),
  )
}

/** Has everybody speak TLS before HTTP begins. What the server does with a connection is done with the one inside it. */
function secureFirst(server: Server, { clock, log, tlsMeter }: ApiPorts, tls: TlsListen): TlsEdge {
  const edge = openTlsEdge({ clock, log, meter: tlsMeter }, tls)
  const serveHttp = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (raw: Socket) =>
    edge.shake(raw, (secured) => {
      for (const serve of serveHttp) serve.call(server, secured)
    }),
  )
  return edge
}

function limitAddresses(server: Server, most: number, proxies: TrustedProxies): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const count = (open.get(address) ?? 0) + 1
    open.set(address, count)
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
    if (count > most && !proxies.includes(address)) socket.destroy()
  })
}

async function serve(edge: Edge, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const trace = Buffer.from(edge.random.bytes(8)).toString('hex')
  const began = performance.now()
  const left = new AbortController()
  let operation = 'none'
  response.on('close', () => {
    left.abort(new Error('the client has left'))
    edge.meter?.(operation, response.headersSent ? response.statusCode : leftStatus, began)
  })
  // A response that cannot be written any more is the reader's loss; `close` follows and tells everybody.
  response.on('error', () => left.abort(new Error('the client has left')))
  edge.requests++
  try {
    const named = (id: string) => {
      operation = id
    }
    const answer = await answerTo(edge, {
      request,
      response,
      head: headOf(edge, request),
      trace,
      left: left.signal,
      named,
    })
    if (answer) send(request, response, answer)
  } catch (error) {
    // Nobody hears what is said, and nothing of ours went wrong.
    if (error instanceof Left) return
    const problem = error instanceof Unproved ? problemOf(error.why, trace, 401) : problemOf(error, trace)
    report(edge.log, trace, problem, error)
    send(request, response, refusal(problem))
  } finally {
    edge.requests--
  }
}

/** @returns undefined when the answer was a stream, which is over by then */
async function answerTo(edge: Edge, exchange: Exchange): Promise<Answer | undefined> {
  const { request, head } = exchange
  checkRoom(edge, head.address)
  const url = new URL(head.target, 'http://api')
  const operations = edge.handlers.map(({ operation }) => operation)
  const found = matchOperation(operations, head.method, url.pathname)
  if (!found) throw apiError('operation.missing', { method: head.method, path: url.pathname })
  const { operation, fields } = found
  exchange.named(operation.id)
  const principal = await principalOf(edge.authenticate, operation, head)
  if (principal) checkRate(edge.rates.asker, askerOf(principal, head))
  const expected = expectedOf(operation, head)
  const body = await bodyOf(edge, request)
  if (principal) checkBody(principal, body)
  const input = inputOf(operation, fields, url.searchParams, body.toString())
  const handler = edge.handlers.find((one) => one.operation === operation) as Handler
  const call = callOf(exchange, principal, expected, body)
  if ('events' in handler) {
    await follow(edge, exchange, call, handler, input)
    return undefined
  }
  const late = new AbortController()
  const signal = AbortSignal.any([call.signal, late.signal])
  const run = (wish?: Wish) => perform(handler, { ...call, signal, ...(wish && { once: wish }) }, input)
  const key = operation.idempotency === 'key' ? head.headers['idempotency-key'] : undefined
  const answering =
    key === undefined || !edge.once
      ? run()
      : edge.once.answer({ principal, operation, input, expected }, key, (wish) =>
          remembered(run(wish), exchange.trace),
        )
  const answer = await inTime(edge, operation, answering, late)
  return unchanged(head, answer) ? { ...answer, status: 304, body: '' } : answer
}

async function perform(
  { operation, answer }: Extract<Handler, { answer: unknown }>,
  call: ApiCall,
  input: unknown,
): Promise<Answer> {
  const output = checkOutput(operation, await answer(call, input))
  const headers: Record<string, string> = { 'content-type': operation.media ?? 'application/json' }
  const { revision } = operation.concurrency ?? {}
  if (revision !== undefined) headers.etag = `"${String((output as Record<string, unknown>)[revision])}"`
  return { status: 200, headers, body: operation.media ? String(output) : JSON.stringify(output ?? {}) }
}

/** What will not be otherwise the next time is an answer too; everything else stays an error, and may be tried again. */
async function remembered(answering: Promise<Answer>, trace: string): Promise<Answer> {
  try {
    return await answering
  } catch (error) {
    const final = ['invalid', 'denied', 'missing', 'conflict', 'precondition', 'unbuilt']
    if (error instanceof PelagoError && !error.retryable && final.includes(error.kind))
      return refusal(problemOf(error, trace))
    throw error
  }
}

/**
 * Tells the handler by `late` when its time is up. Who does not listen is not waited for; what he does meanwhile is not known.
 * @throws operation.late
 */
async function inTime(
  { clock, limits, stop }: Edge,
  operation: AnyOperation,
  answering: Promise<Answer>,
  late: AbortController,
): Promise<Answer> {
  let cancel = () => {}
  const over = new Promise<never>((_, reject) => {
    const giveUp = () => {
      cancel()
      late.abort(new Error('it takes too long'))
      // Who listens to his signal says in the meantime what he knows.
      cancel = clock.after(unheardMs, () =>
        reject(apiError('operation.late', { operation: operation.id, seconds: limits.answerMs / 1000 })),
      )
    }
    cancel = clock.after(limits.answerMs, giveUp)
    stop.addEventListener('abort', giveUp, { once: true, signal: late.signal })
  })
  answering.catch(() => 'it is thrown by the race, or nobody waits any more')
  try {
    return await Promise.race([answering, over])
  } finally {
    cancel()
    // Takes the listener away; who has answered does not listen any more.
    late.abort(new Error('it is answered'))
  }
}

async function follow(
  edge: Edge,
  { response, head, trace, left }: Exchange,
  call: ApiCall,
  { operation, events }: Extract<Handler, { events: unknown }>,
  input: unknown,
): Promise<void> {
  const { clock, limits, streams, stop, authenticate, log } = edge
  const asker = askerOf(call.principal, head)
  const own = streams.get(asker) ?? 0
  const all = [...streams.values()].reduce((sum, count) => sum + count, 0)
  if (own >= limits.streamsPerAsker)
    throw apiError('request.crowded', { limit: limits.streamsPerAsker, what: 'streams of yours', retryAfter: 10 })
  if (all >= limits.streamsMost)
    throw apiError('request.crowded', { limit: limits.streamsMost, what: 'streams', retryAfter: 10 })
  streams.set(asker, own + 1)
  // A stream does nothing most of the time, and has a limit of its own.
  edge.requests--
  const enough = new AbortController()
  const cancel = clock.after(limits.streamMs, () => enough.abort(new Error('ask again')))
  const signal = AbortSignal.any([left, stop, enough.signal])
  const checked = async function* () {
    for await (const event of events({ ...call, signal }, input, head.headers['last-event-id'])) {
      checkOutput(operation, event.data)
      yield event
    }
  }
  const still = async () => {
    if (mayAsk(operation, [])) return true
    const principal = await authenticate(head)
    if (principal === undefined || !mayAsk(operation, principal.roles)) return false
    return operation.reach !== 'house' || runsServer(principal)
  }
  try {
    const problem = await sendEvents({ clock, limits, trace, signal }, response, checked(), still)
    if (problem) report(log, trace, problem, problem.detail)
  } finally {
    cancel()
    edge.requests++
    const rest = (streams.get(asker) ?? 1) - 1
    if (rest > 0) streams.set(asker, rest)
    else streams.delete(asker)
  }
}

/** @throws request.rate, request.crowded */
function checkRoom(edge: Edge, address: string): void {
  checkRate(edge.rates.address, address)
  const { requestsMost } = edge.limits
  if (edge.requests > requestsMost)
    throw apiError('request.crowded', { limit: requestsMost, what: 'requests', retryAfter: 1 })
}

function checkRate(rates: Rates, asker: string): void {
  const ms = rates.take(asker)
  if (ms > 0) throw apiError('request.rate', { retryAfter: Math.ceil(ms / 1000) })
}

const askerOf = (principal: Principal | undefined, { address }: RequestHead) =>
  principal ? `${principal.tenant}\n${principal.actor}` : address

function callOf(
  { response, head, trace, left }: Exchange,
  principal: Principal | undefined,
  expected: string | undefined,
  body: Uint8Array,
): ApiCall {
  return {
    actor: principal?.actor ?? 'anyone',
    tenant: principal?.tenant ?? '',
    signal: left,
    trace,
    principal,
    house: principal !== undefined && runsServer(principal),
    expected,
    address: head.address,
    method: head.method,
    target: head.target,
    body,
    headers: head.headers,
    setCookie: (cookie) => response.appendHeader('set-cookie', cookie),
  }
}

/** @throws request.unauthenticated, request.forbidden, request.house, or why the proof that was given does not hold */
async function principalOf(
  authenticate: Authenticate,
  operation: AnyOperation,
  head: RequestHead,
): Promise<Principal | undefined> {
  if (mayAsk(operation, [])) return undefined
  const principal = await authenticate(head).catch((error: unknown) => {
    throw unproved(error)
  })
  if (!principal) throw apiError('request.unauthenticated')
  if (mayAsk(operation, principal.roles)) {
    if (operation.reach === 'house' && !runsServer(principal))
      throw apiError('request.house', { operation: operation.id })
    return principal
  }
  const [allowed, roles] = [operation.roles.join(', '), principal.roles.join(', ') || 'in none']
  throw apiError('request.forbidden', { operation: operation.id, allowed, roles })
}

/** @throws why the body is not the one that was proved with the head */
function checkBody({ checkBody: check }: Principal, body: Uint8Array): void {
  try {
    check?.(body)
  } catch (error) {
    throw unproved(error)
  }
}

const unproved = (error: unknown) =>
  error instanceof PelagoError && error.kind === 'denied' ? new Unproved(error) : error

/** What a request is counted as whose sender did not wait for the answer. */
const leftStatus = 499

/** The sender broke off before his request was whole. */
class Left extends Error {}

/** A proof of who asks that does not hold: 401, in the words of whoever looked at it. */
class Unproved extends Error {
  readonly why: PelagoError
  constructor(why: PelagoError) {
    super(why.message)
    this.why = why
  }
}

function headOf({ proxies }: Edge, { method = '', url = '/', headers, socket }: IncomingMessage): RequestHead {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value
  return { method, target: url, headers: plain, address: proxies.askerOf(socket.remoteAddress ?? '', plain) }
}

/**
 * The revision in `If-Match`, without its quotes; `*` expects nothing. Source: RFC 9110, 13.1.1.
 * @throws request.revision, request.unconditional
 */
function expectedOf(operation: AnyOperation, { headers }: RequestHead): string | undefined {
  const stated = headers['if-match']?.trim()
  if (stated === undefined) return undefined
  if (!operation.concurrency) throw apiError('request.unconditional', { operation: operation.id })
  if (stated === '*') return undefined
  const revision = /^"([^"]*)"$/.exec(stated)?.[1]
  if (revision === undefined) throw apiError('request.revision', { operation: operation.id })
  return revision
}

/** Whether a reader has this already. Source: RFC 9110, 13.1.2. */
function unchanged({ method, headers }: RequestHead, { headers: { etag } }: Answer): boolean {
  const known = headers['if-none-match']
  if (method !== 'GET' || etag === undefined || known === undefined) return false
  return known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}

/** @throws request.large, request.slow */
function bodyOf({ clock, limits }: Edge, request: IncomingMessage): Promise<Buffer> {
  const { bodyMost, bodyMs } = limits
  return new Promise((resolve, reject) => {
    const large = () => reject(apiError('request.large', { limit: bodyMost }))
    if (Number(request.headers['content-length'] ?? 0) > bodyMost) return large()
    const cancel = clock.after(bodyMs, () => reject(apiError('request.slow', { seconds: bodyMs / 1000 })))
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > bodyMost) large()
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', () => reject(new Left('the client has left')))
    request.on('close', cancel)
  })
}

function askedOf({ method = '', url = '/', headers, socket }: IncomingMessage) {
  return { method, path: url.split('?')[0] ?? '', headers, address: socket.remoteAddress ?? '' }
}

function tell(response: ServerResponse, { status, type, body }: Told): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function refusal(problem: Problem): Answer {
  const { retryAfter } = problem.details
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' }
  if (typeof retryAfter === 'number') headers['retry-after'] = String(retryAfter)
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer'
  return { status: problem.status, headers, body: JSON.stringify(problem) }
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.headersSent || response.destroyed) return
  const bytes = Buffer.from(body)
  response.writeHead(status, {
    ...headers,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status !== 304 && { 'content-length': bytes.length }),
    // What is left of a body that nobody wants must not be taken for the next request, nor be read to its end.
    ...(!request.complete && { connection: 'close' }),
  })
  response.end(status === 304 ? undefined : bytes)
}

function report(log: Log, trace: string, { status, code }: Problem, error: unknown): void {
  if (status < 500 || status === 503) return
  log('error', 'api.failed', { trace, code, reason: reasonOf(error, true) })
}

/** What is no HTTP, or comes too slowly, is refused in the same words as the rest. */
function refuseHead({ limits }: Edge, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [status, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, `it has more than ${limits.headMost} bytes`]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'it came too slowly']
        : [400, 'it is not HTTP/1.1']
  const { headers, body } = refusal(problemOf(apiError('request.head', { reason }), '', status))
  const head = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' })
  const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n${body}`)
}
