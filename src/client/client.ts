import {
  apiError,
  checkOutput,
  errorOf,
  faultOf,
  type Idempotency,
  type Operation,
  requestOf,
  type ServerName,
} from '#api'
import { type Clock, concat, fromUtf8, PelagoError, type Random } from '#kernel'
import { clientError } from './errors.ts'
import { eventsOf } from './event-stream.ts'

export type ApiRequest = {
  server: ServerName
  method: string
  path: string
  headers: Record<string, string>
  body?: string
  signal?: AbortSignal
}

/** Carries one request to the server of that name. Rejects when nothing answers. Names of headers are in lower case. */
export type Transport = (
  request: ApiRequest,
) => Promise<{ status: number; headers?: Record<string, string>; body: string }>

/** The same where the answer comes bit by bit; its signal ends it. */
export type StreamTransport = (request: ApiRequest) => Promise<{ status: number; body: AsyncIterable<Uint8Array> }>

export type ClientPorts = { send: Transport; stream: StreamTransport; clock: Clock; random: Random }

export type Asking = {
  signal?: AbortSignal
  /** How long it is tried again what may be tried again, milliseconds; 30 s without. */
  withinMs?: number
  /** The revision that was seen; the change is refused when the thing has another by now. */
  expected?: string | number
  /** Name of the wish; who comes back after a restart gives the same again. A fresh one without. */
  wish?: string
}

/** Asks operations; what may be put in and what comes out follows from the operation. */
export type Client = {
  /**
   * Asks, and asks again while the answer says that it helps and the operation does not mind.
   * @throws request.invalid before anything is sent; else whatever code the server answers, or answer.foreign
   */
  ask<I, O>(operation: Operation<I, O>, input: I, asking?: Asking): Promise<O>
  /** Every page of a list, one after the other. */
  pages<I, O extends { next: unknown }>(operation: Operation<I, O>, input: I, asking?: Asking): AsyncGenerator<O>
  /** Events of a stream, also after its connection broke, until the signal says so. */
  follow<I, O>(operation: Operation<I, O>, input: I, signal: AbortSignal): AsyncGenerator<O>
}

const withinMs = 30_000
const triesMost = 6
const firstPauseMs = 100
const longestPauseMs = 5000
/** A stream says at least that it lives, every 15 s. */
const silentMs = 45_000

export function openClient(ports: ClientPorts): Client {
  return {
    ask: (operation, input, asking = {}) => ask(ports, operation, input, asking),
    async *pages(operation, input, asking = {}) {
      let page = await ask(ports, operation, input, asking)
      yield page
      while (page.next !== null) {
        page = await ask(ports, operation, { ...input, after: page.next }, asking)
        yield page
      }
    },
    follow: (operation, input, signal) => follow(ports, operation, input, signal),
  }
}

async function ask<I, O>(
  { send, clock, random }: ClientPorts,
  operation: Operation<I, O>,
  input: I,
  asking: Asking,
): Promise<O> {
  const request = prepared(operation, input)
  const { expected, signal } = asking
  if (expected !== undefined) request.headers['if-match'] = `"${expected}"`
  // Every repetition names the same wish.
  if (operation.idempotency === 'key')
    request.headers['idempotency-key'] = `"${asking.wish ?? random.bytes(18).toBase64({ alphabet: 'base64url' })}"`
  if (signal) request.signal = signal
  const until = clock.now() + (asking.withinMs ?? withinMs)
  for (let tries = 1; ; tries++) {
    let pauseMs: number
    try {
      const { status, headers, body } = await send(request)
      if (status >= 200 && status < 300) return checkOutput(operation, operation.media ? body : parse(body))
      const again = Number(headers?.['retry-after'])
      pauseMs = Number.isFinite(again) ? again * 1000 : pauseAfter(random, tries)
      throw (
        errorOf(parse(body)) ?? clientError('answer.foreign', { server: request.server, status, path: request.path })
      )
    } catch (error) {
      pauseMs ??= pauseAfter(random, tries)
      const helps = mayRepeat(operation, error) && tries < triesMost && clock.now() + pauseMs < until
      if (!helps || signal?.aborted) throw error
      await pause(clock, pauseMs, signal)
      if (signal?.aborted) throw error
    }
  }
}

/** Whether asking again can help, and cannot do something twice. */
function mayRepeat({ idempotency }: { idempotency?: Idempotency }, error: unknown): boolean {
  if (!(error instanceof PelagoError)) return false
  // Nothing was done yet, so it does not matter what a repetition does.
  if (error.code === 'request.rate' || error.code === 'request.crowded') return true
  if (idempotency === 'none' || error.code === 'answer.foreign') return false
  return error.kind === 'uncertain' || (error.retryable && ['unavailable', 'conflict'].includes(error.kind))
}

async function* follow<I, O>(
  { stream, clock, random }: ClientPorts,
  operation: Operation<I, O>,
  input: I,
  signal: AbortSignal,
): AsyncGenerator<O> {
  const request = prepared(operation, input)
  let failures = 0
  while (!signal.aborted) {
    const silent = new AbortController()
    let cancel = () => {}
    const heard = () => {
      cancel()
      cancel = clock.after(silentMs, () => silent.abort(new Error('the stream is silent')))
    }
    heard()
    try {
      const answer = await stream({ ...request, signal: AbortSignal.any([signal, silent.signal]) })
      if (answer.status !== 200) {
        const value = parse(fromUtf8(concat(...(await Array.fromAsync(answer.body)))))
        throw (
          errorOf(value) ??
          clientError('answer.foreign', { server: request.server, status: answer.status, path: request.path })
        )
      }
      for await (const event of eventsOf(answer.body, heard)) {
        if (event.name === 'problem') throw errorOf(parse(event.data)) ?? clientError('stream.broken', {})
        if (event.name !== 'message') continue
        if (event.id !== undefined) request.headers['last-event-id'] = event.id
        failures = 0
        yield checkOutput(operation, parse(event.data))
      }
    } catch (error) {
      if (signal.aborted) return
      failures++
      // What breaks on the way comes as whatever the transport throws; what the server says for good ends it.
      const final = error instanceof PelagoError && !error.retryable
      if (final || failures >= triesMost) throw error
    } finally {
      cancel()
      silent.abort(new Error('it is over'))
    }
    await pause(clock, pauseAfter(random, Math.max(1, failures)), signal)
  }
}

/** @throws request.invalid */
function prepared<I>(operation: Operation<I, unknown>, input: I): ApiRequest {
  const fault = faultOf(operation.input, input)
  if (fault) throw apiError('request.invalid', { path: fault.path, fault: fault.fault })
  const { path, body } = requestOf(operation, input)
  const server = operation.server === 'every' ? 'gateway' : operation.server
  return { server, method: operation.method, path, headers: {}, ...(body !== undefined && { body }) }
}

/** Longer each time, and another for everybody, so that those who were refused together do not come back together. */
function pauseAfter(random: Random, tries: number): number {
  const [byte = 0] = random.bytes(1)
  return Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1)) * (0.5 + byte / 512)
}

function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      cancel()
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const cancel = clock.after(ms, wake)
    signal?.addEventListener('abort', wake, { once: true })
  })
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
