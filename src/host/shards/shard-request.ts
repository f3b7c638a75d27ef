import { type Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Clock, Random } from '#kernel'
import { requestMs, signedHeaders, signShardRequest, storageError } from '#storage'
import { brokenReason } from './shard-connection.ts'

/** A connection that is not made within this, or that carries nothing for as long as that, is given up. */
const connectMs = 5000
const silentMs = 30_000

export type ShardRequestPorts = {
  clock: Clock
  random: Random
  agent: Agent
  hostname: string
  port: string
  provider: string
  gateway: string
  shared: Uint8Array
}

/** One request on its way. `answered` is the head of its answer. */
export type SentRequest = { request: ClientRequest; answered: Promise<IncomingMessage> }

/**
 * Signs and sends one request without a body. `answered` rejects with shard.unreachable, or with the signal's reason.
 */
export function openShardRequest(
  ports: ShardRequestPorts,
  { method, target }: { method: string; target: string },
  signal: AbortSignal,
): SentRequest {
  const { clock, provider } = ports
  const { headers } = signedHeadersOf(ports, { method, target, length: 0 })
  const request = httpRequest({
    agent: ports.agent,
    hostname: ports.hostname,
    port: ports.port,
    method,
    path: target,
    signal,
    timeout: silentMs,
    headers: { 'content-length': 0, ...headers },
  })
  request.on('timeout', () => request.destroy(new Error('it was silent for too long')))
  request.once('socket', (socket) => {
    // By TLS the link looks to it.
    if (!socket.connecting || socket instanceof TLSSocket) return
    const giveUp = () => request.destroy(new Error('the connection was not made in time'))
    const cancel = clock.after(connectMs, giveUp)
    socket.once('close', cancel).once('connect', cancel)
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) return reject(signal.reason instanceof Error ? signal.reason : error)
      reject(storageError('shard.unreachable', { provider, reason: brokenReason(error) }, error))
    })
  })
  request.end()
  return { request, answered }
}

type Signing = Pick<ShardRequestPorts, 'clock' | 'random' | 'gateway' | 'shared'>

function signedHeadersOf(
  { clock, random, gateway, shared }: Signing,
  { method, target, length }: { method: string; target: string; length: number },
): { nonce: string; headers: Record<string, string | number> } {
  const nonce = Buffer.from(random.bytes(16)).toString('hex')
  const expires = clock.now() + requestMs
  const signature = signShardRequest(shared, { method, target, length, expires, nonce, gateway })
  return {
    nonce,
    headers: {
      [signedHeaders.gateway]: gateway,
      [signedHeaders.expires]: expires,
      [signedHeaders.nonce]: nonce,
      [signedHeaders.signature]: signature,
    },
  }
}

/** The head of a signed request as it goes over the wire. */
export function signedHead(
  ports: Signing & { hostname: string; port: string },
  asked: { method: string; target: string; length: number; traceparent?: string | undefined },
): { head: string; nonce: string } {
  const { nonce, headers } = signedHeadersOf(ports, asked)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const host = ports.hostname.includes(':') ? `[${ports.hostname}]` : ports.hostname
  const length = asked.length > 0 ? `content-length: ${asked.length}\r\n` : ''
  // Not signed: it says nothing that the provider acts upon.
  const trace = asked.traceparent === undefined ? '' : `traceparent: ${asked.traceparent}\r\n`
  const head = `${asked.method} ${asked.target} HTTP/1.1\r\nhost: ${host}:${ports.port}\r\n${length}${trace}${lines.join('')}\r\n`
  return { head, nonce }
}

/** Whether it failed because the connection, used before, had been closed by the provider meanwhile. */
export function isStale({ request }: SentRequest, error: unknown): boolean {
  const code = (error as { cause?: { code?: string } }).cause?.code
  return request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
}
