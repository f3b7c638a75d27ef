import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock, Log } from '#kernel'
import { type Node, openReplayGuard, refusalOf, type ShardRequest, signedHeaders, storageError } from '#storage'
import { listenOn } from './listen.ts'
import { receiveShard } from './receive-shard.ts'
import { sendShard } from './send-shard.ts'
import { refuse, sendJson } from './shard-answers.ts'

/** Keys of the gateways that are enrolled: id -> key shared with it. */
export type GatewayKeys = ReadonlyMap<string, Uint8Array>

export type ShardServer = { port: number; close(): Promise<void> }

/** Longest read of one request; longer ones are asked for in parts. */
const longestRead = 64 * 1024 * 1024
const longestPage = 1000
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
  const url = URL.parse(target, 'http://provider')
  if (request.method === 'GET' && url?.pathname === '/health') return sendJson(response, 200, { ok: true })

  const { key, signed } = authenticate(ports, request, target)
  const [, version, noun, name = '', ...more] = url?.pathname.split('/') ?? []
  if (!url || version !== 'v1' || more.length > 0) throw storageError('shard.missing', { provider })
  const number = (what: string) => integer(provider, url.searchParams.get(what), what)
  switch (`${request.method} ${noun}${name === '' ? '' : '/NAME'}`) {
    case 'GET status':
      return sendJson(response, 200, node.status())
    case 'GET shards':
      return sendJson(
        response,
        200,
        await node.list(url.searchParams.get('after') ?? '', Math.min(number('limit'), longestPage)),
      )
    case 'GET shards/NAME': {
      const range = { offset: number('offset'), length: number('length') }
      if (range.length < 1 || range.length > longestRead)
        throw storageError('shard.denied', { provider, reason: `1 to ${longestRead} bytes are read at once` })
      return sendShard(ports, name, range, response)
    }
    case 'PUT shards/NAME':
      await receiveShard(ports, key, signed, name, request)
      return sendJson(response, 201, {})
    case 'DELETE shards/NAME':
      if (!replays.admit(signed.nonce, signed.expires, ports.clock.now()))
        throw storageError('shard.denied', { provider, reason: 'this request was seen before' })
      await node.trash(name)
      return sendJson(response, 200, {})
    default:
      throw storageError('shard.missing', { provider })
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

function integer(provider: string, text: string | null, what: string): number {
  const value = /^\d{1,15}$/.test(text ?? '') ? Number(text) : Number.NaN
  if (Number.isNaN(value)) throw storageError('shard.denied', { provider, reason: `${what} must be a whole number` })
  return value
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 2000).unref()
  })
}
