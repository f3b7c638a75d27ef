import { type AddressInfo, createServer } from 'node:net'
import type { Clock } from '#kernel'
import { type Connection, type ConnectionConfig, type Exchange, serveConnection } from './http-connection.ts'
import { type Listen, listenOn } from './listen.ts'

export type HttpServer = { port: number; close(): Promise<void> }

type Config = ConnectionConfig & {
  /** More connections than this are closed as they come. */
  connectionsMost: number
  /** When the server closes, requests under way have so long to come to their end. */
  closeMs: number
  /** Answers one exchange; it must not throw. */
  handle(exchange: Exchange): Promise<void>
}

/** Serves HTTP/1.1 where bodies are large. @param listen.port 0 for any */
export async function openHttpServer(clock: Clock, listen: Listen, config: Config): Promise<HttpServer> {
  const connections = new Set<Connection>()
  const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true }, (accepted) => {
    const connection = serveConnection(clock, accepted, config, config.handle, () => connections.delete(connection))
    connections.add(connection)
  })
  server.maxConnections = config.connectionsMost
  await listenOn(server, listen)
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const cancel = clock.after(config.closeMs, () => connections.forEach((connection) => connection.end()))
        server.close(() => {
          cancel()
          resolve()
        })
        connections.forEach((connection) => connection.finish())
      }),
  }
}
