import { Agent, type IncomingMessage } from 'node:http'
import { type Clock, type Metrics, noMetrics, type Random } from '#kernel'
import type { Provider } from '#pool'
import { type ShardStore, storageError } from '#storage'
import { plainFault } from '../tls/plain-address.ts'
import { openLinkAgent, type TlsLink } from '../tls/tls-link.ts'
import { openShardMeter, type ShardRequestKind } from '../observe/shard-metrics.ts'
import type { Tracer } from '../observe/tracer.ts'
import { namesOf, readJson, refusalOf, statusOf } from './shard-replies.ts'
import { openShardPool } from './shard-pool.ts'
import { isStale, openShardRequest, signedHead, type ShardRequestPorts } from './shard-request.ts'
import { openShardReader } from './shard-reader.ts'
import { openShardWriter } from './shard-writer.ts'

/** Connections to one provider; more requests than that wait for one until their own signal ends the wait. */
const socketsMost = 64
/** Shorter than the provider keeps them, so that it is this side that hangs up. */
const idleMs = 30_000

/**
 * Speaks the shard protocol to one provider over HTTP/1.1; docs/formats/shard-protocol.md describes the wire.
 * @param keys the gateway's id there and the key that both share
 * @param link how connections are made where the endpoint is `https:`; not used for `http:`, which is for this machine alone
 * @throws shard.unreachable for `https:` without a link, and for `http:` to another machine
 */
export function openShardStore(
  ports: { clock: Clock; random: Random; metrics?: Metrics; tracer?: Tracer | undefined },
  provider: Pick<Provider, 'id' | 'endpoint'>,
  keys: { gateway: string; shared: Uint8Array },
  link?: TlsLink,
): ShardStore & { close(): void } {
  const meter = openShardMeter(ports.metrics ?? noMetrics, provider.id)
  const counted = async <T>(kind: ShardRequestKind, signal: AbortSignal, act: () => Promise<T>): Promise<T> => {
    const began = performance.now()
    try {
      const value = await act()
      meter.ended(kind, began, undefined, signal)
      return value
    } catch (error) {
      meter.ended(kind, began, error, signal)
      throw error
    }
  }
  const { hostname, port, protocol } = new URL(provider.endpoint)
  const secure = protocol === 'https:'
  const unfit = secure
    ? link
      ? undefined
      : 'TLS needs an enrolled gateway, and a key that the directory pins'
    : plainFault(provider.endpoint)
  if (unfit !== undefined) throw storageError('shard.unreachable', { provider: provider.id, reason: unfit })
  const by = secure ? link : undefined
  const options = { keepAlive: true, maxSockets: socketsMost, timeout: idleMs, scheduling: 'lifo' } as const
  const agent = by ? openLinkAgent(by, options) : new Agent(options)
  const wire: ShardRequestPorts = {
    ...ports,
    ...keys,
    agent,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port || (secure ? '443' : '80'),
    provider: provider.id,
  }
  const config = {
    provider: provider.id,
    hostname: wire.hostname,
    port: Number(port) || (secure ? 443 : 80),
    socketsMost,
    idleMs,
    link: by,
  }
  const reader = openShardReader(ports, config)
  // Of their own, so that long writes do not keep reads waiting.
  const writing = openShardPool(ports.clock, config)
  /** One request without a body. It may be sent twice: none of them does more the second time. */
  const ask = async (method: string, target: string, signal: AbortSignal): Promise<IncomingMessage> => {
    const send = async () => {
      const sent = openShardRequest(wire, { method, target }, signal)
      try {
        return await sent.answered
      } catch (error) {
        // The provider hung up just when a connection that had rested was used again.
        if (isStale(sent, error) && !signal.aborted) return undefined
        throw error
      }
    }
    let response: IncomingMessage | undefined
    for (let attempt = 0; attempt <= socketsMost && !response; attempt++) response = await send()
    if (!response) throw storageError('shard.unreachable', { provider: provider.id, reason: 'it hangs up at once' })
    if (response.statusCode !== 200) throw await refusalOf(provider.id, response, signal)
    return response
  }

  return {
    create(name, length, signal) {
      const told = ports.tracer?.ask('shard.put')
      told?.span.note('pelago.provider', provider.id)
      const sign = (target: string, bodyLength: number) =>
        signedHead(wire, { method: 'PUT', target, length: bodyLength, traceparent: told?.header })
      const began = performance.now()
      const ended = (error: unknown) => {
        meter.ended('put', began, error, signal, length)
        told?.span.end(error)
      }
      return openShardWriter(writing, sign, { provider: provider.id, name, length }, keys, signal, ended)
    },
    async read(name, offset, length, signal, into) {
      const bytes = into?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length)
      const target = `/v1/shards/${name}?offset=${offset}&length=${length}`
      const began = performance.now()
      const told = ports.tracer?.ask('shard.get')
      told?.span.note('pelago.provider', provider.id)
      const asked = { method: 'GET', target, length: 0, traceparent: told?.header }
      try {
        await reader.read(() => signedHead(wire, asked).head, bytes, signal)
      } catch (error) {
        meter.ended('get', began, error, signal)
        told?.span.end(error)
        throw error
      }
      told?.span.end()
      meter.ended('get', began, undefined, signal, length)
      return bytes
    },
    trash: (name, signal) =>
      counted('delete', signal, async () => {
        const response = await ask('DELETE', `/v1/shards/${name}`, signal)
        response.resume()
      }),
    list: (after, limit, signal) =>
      counted('list', signal, async () => {
        const response = await ask('GET', `/v1/shards?after=${after}&limit=${limit}`, signal)
        return namesOf(provider.id, await readJson(provider.id, response, signal), after)
      }),
    status: (signal) =>
      counted('status', signal, async () => {
        const response = await ask('GET', '/v1/status', signal)
        return statusOf(provider.id, await readJson(provider.id, response, signal))
      }),
    close() {
      agent.destroy()
      reader.close()
      writing.close()
    },
  }
}
