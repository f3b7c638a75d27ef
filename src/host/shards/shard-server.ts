import { type Clock, type Log, type Metrics, noMetrics } from '#kernel'
import { type Node, openReplayGuard, refusalOf, type ShardRequest, signedHeaders, storageError } from '#storage'
import type { Exchange } from '../http/http-connection.ts'
import { openHttpServer, type HttpServer } from '../http/http-server.ts'
import type { Listen } from '../http/listen.ts'
import { type NodeMeter, type NodeRequest, openNodeMeter } from '../observe/node-metrics.ts'
import type { Tracer } from '../observe/tracer.ts'
import type { SelfReport, Told } from '../observe/self-report.ts'
import { receiveShard } from './receive-shard.ts'
import { sendShard } from './send-shard.ts'
import { refuse, sendJson } from './shard-answers.ts'

/** What is known of a gateway that is enrolled: the key that is shared with it, and SHA-256 of that of its certificate. */
export type EnrolledGateway = { shared: Uint8Array; pin: string | undefined }
/** The gateways that are enrolled now, by id. */
export type GatewayKeys = ReadonlyMap<string, EnrolledGateway>
/** `endGateway`: ends what a gateway that is enrolled no more has under way. @returns how many requests */
export type ShardServer = HttpServer & { endGateway(id: string): number }

/** Longest read of one request; longer ones are asked for in parts. */
const longestRead = 64 * 1024 * 1024
const longestPage = 1000
/** A shard of a pack of small objects mostly comes with its head by one read, and copying it costs less than to read again. */
const frontBytes = 20 * 1024
const limits = { connectionsMost: 512, silentMs: 30_000, idleMs: 65_000, closeMs: 2000, headMost: 8192, frontBytes }

/**
 * Serves a provider's node over HTTP/1.1 to enrolled gateways. docs/formats/shard-protocol.md describes the wire.
 * @param listen.port 0 for any
 * @param listen.direct bodies straight into memory of their own where this Node can; false for the way that every Node has
 */
export async function openShardServer(
  ports: {
    node: Node
    gateways: GatewayKeys
    clock: Clock
    log: Log
    provider: string
    metrics?: Metrics
    /** What the provider says about itself beside the protocol. */
    report?: SelfReport
    tracer?: Tracer | undefined
  },
  listen: Listen & { direct?: boolean },
): Promise<ShardServer> {
  const replays = openReplayGuard()
  const underWay = openUnderWay()
  const meter = openNodeMeter(ports.metrics ?? noMetrics, ports.node)
  const handle = async (exchange: Exchange) => {
    const { method, target, address, headers } = exchange
    if (!target.startsWith('/v1/')) {
      const told = ports.report?.answer({ method, path: target, address, headers })
      if (told) return tell(exchange, await told)
    }
    const began = performance.now()
    const act = () =>
      answer(ports, { replays, underWay }, exchange).catch((error: unknown) => refuse(ports.log, exchange, error))
    if (ports.tracer) await traced(ports.tracer, exchange, act)
    else await act()
    underWay.over(exchange)
    count(meter, exchange, began)
  }
  const server = await openHttpServer(ports, listen, { ...limits, direct: listen.direct ?? true, handle })
  return { ...server, endGateway: underWay.end }
}

/** Which requests of which gateway are being answered. */
function openUnderWay() {
  const requests = new Map<Exchange, string>()
  return {
    begun: (exchange: Exchange, gateway: string) => void requests.set(exchange, gateway),
    over: (exchange: Exchange) => void requests.delete(exchange),
    end(gateway: string) {
      const theirs = [...requests].filter(([, whose]) => whose === gateway)
      for (const [exchange] of theirs) exchange.cut()
      return theirs.length
    },
  }
}

type Ports = Parameters<typeof openShardServer>[0]

type Seen = { replays: ReturnType<typeof openReplayGuard>; underWay: ReturnType<typeof openUnderWay> }

async function answer(ports: Ports, { replays, underWay }: Seen, exchange: Exchange): Promise<void> {
  const { node, provider } = ports
  const { method, target } = exchange
  const url = URL.parse(target, 'http://provider')
  if (method === 'GET' && url?.pathname === '/health') return sendJson(exchange, 200, { ok: true })

  const { key, signed } = authenticate(ports, exchange)
  underWay.begun(exchange, signed.gateway)
  const [, version, noun, name = '', ...more] = url?.pathname.split('/') ?? []
  if (!url || version !== 'v1' || more.length > 0) throw storageError('shard.missing', { provider })
  const number = (what: string) => integer(provider, url.searchParams.get(what), what)
  switch (`${method} ${noun}${name === '' ? '' : '/NAME'}`) {
    case 'GET status':
      return sendJson(exchange, 200, node.status())
    case 'GET shards':
      return sendJson(
        exchange,
        200,
        await node.list(url.searchParams.get('after') ?? '', Math.min(number('limit'), longestPage)),
      )
    case 'GET shards/NAME': {
      const range = { offset: number('offset'), length: number('length') }
      if (range.length < 1 || range.length > longestRead)
        throw storageError('shard.denied', { provider, reason: `1 to ${longestRead} bytes are read at once` })
      return sendShard(ports, name, range, exchange)
    }
    case 'PUT shards/NAME':
      await receiveShard(ports, key, signed, name, exchange)
      return sendJson(exchange, 201, {})
    case 'DELETE shards/NAME':
      if (!replays.admit(signed.nonce, signed.expires, ports.clock.now()))
        throw storageError('shard.denied', { provider, reason: 'this request was seen before' })
      await node.trash(name)
      return sendJson(exchange, 200, {})
    default:
      throw storageError('shard.missing', { provider })
  }
}

function traced(tracer: Tracer, exchange: Exchange, act: () => Promise<void>): Promise<void> {
  return tracer.request(
    `node.${kindOf(exchange.method, exchange.target)}`,
    exchange.headers.traceparent,
    async (span) => {
      await act()
      const status = exchange.status() ?? 0
      span.note('http.response.status_code', status)
      if (status >= 500) span.end(new Error('refused'))
    },
  )
}

function tell(exchange: Exchange, { status, type, body }: Told): void {
  const bytes = Buffer.from(body)
  exchange.answer(status, { 'content-type': type, 'content-length': bytes.length }, bytes)
}

function count(meter: NodeMeter, exchange: Exchange, began: number): void {
  const request = kindOf(exchange.method, exchange.target)
  const status = exchange.status() ?? 'left'
  const received = status === 201 ? exchange.bodyLength : 0
  meter.ended(request, status, began, received, request === 'get' && status === 200 ? exchange.sent() : 0)
}

function kindOf(method: string, target: string): NodeRequest {
  if (!target.startsWith('/v1/shards')) return target === '/v1/status' ? 'status' : 'other'
  if (method === 'PUT') return 'put'
  if (method === 'DELETE') return 'delete'
  if (method !== 'GET') return 'other'
  return target.startsWith('/v1/shards/') ? 'get' : 'list'
}

/** @throws shard.denied */
function authenticate(ports: Ports, exchange: Exchange): { key: Uint8Array; signed: ShardRequest } {
  const { method, target, headers, bodyLength } = exchange
  const header = (name: string) => headers[name] ?? ''
  const gateway = header(signedHeaders.gateway)
  const signed: ShardRequest = {
    method,
    target,
    length: bodyLength,
    expires: Number(header(signedHeaders.expires)),
    nonce: header(signedHeaders.nonce),
    gateway,
  }
  const enrolled = ports.gateways.get(gateway)
  const reason = enrolled
    ? (refusalOf(enrolled.shared, signed, header(signedHeaders.signature), ports.clock.now()) ??
      strangeConnection(exchange, gateway, enrolled))
    : `no gateway ${gateway || '(none named)'} is enrolled here`
  if (!enrolled || reason) throw storageError('shard.denied', { provider: ports.provider, reason: reason ?? '' })
  return { key: enrolled.shared, signed }
}

/** Why a connection is not one of the gateway that signs: the key of its certificate has to be the one that was enrolled. */
function strangeConnection({ secure, peer }: Exchange, id: string, { pin }: EnrolledGateway): string | undefined {
  if (!secure) return undefined
  if (peer?.role === 'gateway' && peer.id === id && peer.pin === pin) return undefined
  return `the certificate of the connection is not the one that ${id} was enrolled with`
}

function integer(provider: string, text: string | null, what: string): number {
  const value = /^\d{1,15}$/.test(text ?? '') ? Number(text) : Number.NaN
  if (Number.isNaN(value)) throw storageError('shard.denied', { provider, reason: `${what} must be a whole number` })
  return value
}
