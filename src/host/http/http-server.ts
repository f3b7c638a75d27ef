import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type Clock, type Log, type Metrics, noMetrics } from '#kernel'
import { openTlsMeter } from '../observe/tls-metrics.ts'
import { openTlsEdge, type Peer } from '../tls/tls-edge.ts'
import { type Connection, type ConnectionConfig, type Exchange, lookMs, serveConnection } from './http-connection.ts'
import { type Listen, listenOn } from './listen.ts'

export type HttpServer = {
  port: number
  /** Connections that are open. */
  connections(): number
  close(): Promise<void>
}

type Config = ConnectionConfig & {
  /** More connections than this are closed as they come. */
  connectionsMost: number
  /** More connections than this from one address are closed as they come; no such limit if not given. */
  perAddressMost?: number
  /** Addresses by which many come, so that connections of one are not counted. */
  shared?(address: string): boolean
  /** How often connections are looked at, milliseconds; `lookMs` if not given. */
  lookMs?: number
  /** Hears of connections that were closed, and why. */
  refused?(why: 'connections' | 'address' | 'slow' | 'long'): void
  /** When the server closes, requests under way have so long to come to their end. */
  closeMs: number
  /** Answers one exchange; it must not throw. */
  handle(exchange: Exchange): Promise<unknown>
}

/**
 * Serves HTTP/1.1 where bodies are large, over TLS where `listen.tls` is given.
 * @throws port.taken, port.denied
 */
export async function openHttpServer(
  ports: { clock: Clock; log: Log; metrics?: Metrics | undefined },
  listen: Listen,
  config: Config,
): Promise<HttpServer> {
  const { clock, metrics = noMetrics } = ports
  const edge = listen.tls && openTlsEdge({ ...ports, meter: openTlsMeter(metrics) }, listen.tls)
  const connections = new Set<Connection>()
  const addresses = new Map<string, number>()
  const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true }, (accepted) => {
    const address = accepted.remoteAddress ?? ''
    const others = addresses.get(address) ?? 0
    const most = config.shared?.(address) ? undefined : config.perAddressMost
    if (others >= (most ?? Number.POSITIVE_INFINITY)) {
      config.refused?.('address')
      accepted.destroy()
      return
    }
    addresses.set(address, others + 1)
    accepted.once('close', () => {
      const left = (addresses.get(address) ?? 1) - 1
      if (left > 0) addresses.set(address, left)
      else addresses.delete(address)
    })
    if (edge) edge.shake(accepted, (secured, peer) => serve(secured, { secure: true, peer }))
    else serve(accepted, { secure: false, peer: undefined })
  })
  const serve = (socket: Socket, link: { secure: boolean; peer: Peer | undefined }) => {
    const closed = () => void connections.delete(connection)
    const connection = serveConnection(clock, socket, config, config.handle, closed, link)
    connections.add(connection)
  }
  server.maxConnections = config.connectionsMost
  server.on('drop', () => config.refused?.('connections'))
  await listenOn(server, listen)
  const looking = setInterval(() => {
    for (const connection of connections) {
      const why = connection.look(performance.now())
      if (why) config.refused?.(why)
    }
  }, config.lookMs ?? lookMs)
  looking.unref()
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections.size,
    close: () =>
      new Promise((resolve) => {
        const cancel = clock.after(config.closeMs, () => connections.forEach((connection) => connection.end()))
        server.close(() => {
          cancel()
          clearInterval(looking)
          resolve()
        })
        connections.forEach((connection) => connection.finish())
        edge?.close()
      }),
  }
}
