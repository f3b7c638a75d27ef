import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Clock, hasCode, type Log, PelagoError, release } from '#kernel'
import {
  bodyTagBytes,
  type Node,
  openBodyTag,
  openReplayGuard,
  refusalOf,
  type ShardRequest,
  signedHeaders,
  storageError,
} from '#storage'
import { listenOn } from './listen.ts'

/** Keys of the gateways that are enrolled: id -> key shared with it. */
export type GatewayKeys = ReadonlyMap<string, Uint8Array>

export type ShardServer = { port: number; close(): Promise<void> }

const nameForm = /^[0-9a-f]{32}$/
const longestShard = 64 * 1024 * 1024
const longestRead = 16 * 1024 * 1024
const stagedBytes = 512 * 1024
const connectionsMost = 512
const silentMs = 30_000

/**
 * Serves a provider's node over HTTP/1.1 to enrolled gateways. docs/formats/shard-protocol.md describes the wire.
 * @param listen.port 0 for any
 */
export async function openShardServer(
  ports: { node: Node; gateways: GatewayKeys; clock: Clock; log: Log; provider: string },
  listen: { host: string; port: number },
): Promise<ShardServer> {
  const replays = openReplayGuard()
  const server = createServer(
    {
      keepAliveTimeout: 65_000,
      headersTimeout: silentMs,
      requestTimeout: 0,
      maxHeaderSize: 8192,
      highWaterMark: 256 * 1024,
    },
    (request, response) => {
      request.setTimeout(silentMs)
      answer(ports, replays, request, response).catch((error: unknown) => refuse(ports.log, request, response, error))
    },
  )
  server.maxConnections = connectionsMost
  await listenOn(server, listen)
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) }
}

type Ports = Parameters<typeof openShardServer>[0]

async function answer(
  ports: Ports,
  replays: ReturnType<typeof openReplayGuard>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { node, provider } = ports
  const target = request.url ?? ''
  const url = new URL(target, 'http://provider')
  if (request.method === 'GET' && url.pathname === '/health') return send(response, 200, { ok: true })

  const { key, signed } = authenticate(ports, request, target)
  const [, version, noun, name = ''] = url.pathname.split('/')
  if (version === 'v1' && noun === 'status' && request.method === 'GET') return send(response, 200, node.status())
  if (version !== 'v1' || noun !== 'shards') throw storageError('shard.missing', { provider })
  if (name === '' && request.method === 'GET') {
    const limit = Math.min(integer(url, 'limit'), 1000)
    return send(response, 200, await node.list(url.searchParams.get('after') ?? '', limit))
  }
  if (!nameForm.test(name)) throw storageError('shard.missing', { provider })
  switch (request.method) {
    case 'PUT':
      return take(ports, key, signed, name, request, response)
    case 'GET': {
      const [offset, length] = [integer(url, 'offset'), integer(url, 'length')]
      if (length > longestRead)
        throw storageError('shard.denied', { provider, reason: `at most ${longestRead} bytes are read at once` })
      const bytes = await node.read(name, offset, length)
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length })
      response.end(bytes, () => release(bytes))
      return
    }
    case 'DELETE':
      if (!replays.admit(signed.nonce, signed.expires, ports.clock.now())) {
        throw storageError('shard.denied', { provider, reason: 'this request was seen before' })
      }
      await node.trash(name)
      return send(response, 200, {})
    default:
      throw storageError('shard.denied', { provider, reason: `${request.method} is not known here` })
  }
}

/** @throws shard.denied */
function authenticate(
  ports: Ports,
  request: IncomingMessage,
  target: string,
): { key: Uint8Array; signed: ShardRequest } {
  const header = (name: string) => {
    const value = request.headers[name]
    return typeof value === 'string' ? value : ''
  }
  const gateway = header(signedHeaders.gateway)
  const signed: ShardRequest = {
    method: request.method ?? '',
    target,
    length: Number(request.headers['content-length'] ?? 0),
    expires: Number(header(signedHeaders.expires)),
    nonce: header(signedHeaders.nonce),
    gateway,
  }
  const key = ports.gateways.get(gateway)
  const reason = key
    ? refusalOf(key, signed, header(signedHeaders.signature), ports.clock.now())
    : `no gateway ${gateway || '(none named)'} is enrolled here`
  if (!key || reason) throw storageError('shard.denied', { provider: ports.provider, reason: reason ?? '' })
  return { key, signed }
}

/** Takes a shard in. The tag behind the body is checked before the shard gets its name, so bytes of somebody else never do. */
async function take(
  { node, provider }: Ports,
  key: Uint8Array,
  signed: ShardRequest,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const length = signed.length - bodyTagBytes
  if (!Number.isSafeInteger(length) || length < 1 || length > longestShard) {
    throw storageError('shard.denied', { provider, reason: 'the length of the shard is missing or out of bounds' })
  }
  const writer = await node.create(name, length)
  try {
    const tag = openBodyTag(key, signed.nonce)
    const trailer = Buffer.alloc(bodyTagBytes)
    const staged = Buffer.allocUnsafeSlow(Math.min(stagedBytes, length))
    let filled = 0
    let got = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const body = chunk.subarray(0, Math.max(0, length - got))
      if (body.length < chunk.length) chunk.copy(trailer, Math.max(0, got - length), body.length)
      got += chunk.length
      tag.update(body)
      for (let at = 0; at < body.length; ) {
        const copied = body.copy(staged, filled, at)
        at += copied
        filled += copied
        if (filled < staged.length) continue
        await writer.write(staged)
        filled = 0
      }
      release(chunk)
    }
    if (filled > 0) await writer.write(staged.subarray(0, filled))
    if (got !== signed.length || !timingSafeEqual(tag.digest(), trailer)) {
      throw storageError('shard.denied', { provider, reason: 'the body is not the one that was signed' })
    }
    await writer.finish()
  } catch (error) {
    writer.abort()
    throw error
  }
  send(response, 201, {})
}

function integer(url: URL, name: string): number {
  const value = Number(url.searchParams.get(name) ?? Number.NaN)
  if (!Number.isSafeInteger(value) || value < 0)
    throw storageError('shard.denied', { provider: 'here', reason: `${name} must be a whole number` })
  return value
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.end(bytes)
}

const statusOf: Record<string, number> = {
  'shard.denied': 403,
  'shard.missing': 404,
  'shard.exists': 409,
  'shard.range': 416,
  'shard.full': 507,
  'body.short': 400,
  'body.long': 400,
}

function refuse(log: Log, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const code = error instanceof PelagoError ? error.code : 'node.failed'
  const status = statusOf[code] ?? 500
  if (status === 500) log('error', 'node.failed', { reason: error instanceof Error ? error.message : String(error) })
  if (hasCode(error, 'shard.denied')) log('warn', 'shard.denied', { reason: error.message })
  if (response.headersSent || request.destroyed) {
    response.destroy()
    return
  }
  // What is left of the body is not waited for.
  if (!request.complete) response.setHeader('connection', 'close')
  send(response, status, {
    code,
    message: error instanceof PelagoError ? error.message : 'The provider failed; its log says why.',
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 2000).unref()
  })
}
