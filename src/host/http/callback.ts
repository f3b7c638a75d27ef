import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Callback } from '#cli'
import { hostError } from '../errors.ts'
import { listenOn } from './listen.ts'

const waitMs = 5 * 60_000

/** Listens on this machine until an identity provider sends somebody back. Source: RFC 8252 section 7.3. */
export async function openCallback(): Promise<Callback> {
  let came: (query: string) => void = () => {}
  let late: (error: Error) => void = () => {}
  const query = new Promise<string>((resolve, reject) => {
    came = resolve
    late = reject
  })
  // Whoever closes before anybody came does not wait for this.
  query.catch(() => 'told to whoever waits')
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 10_000, maxHeaderSize: 16_384 },
    (request, response) => {
      const url = new URL(request.url ?? '/', 'http://callback')
      const right = request.method === 'GET' && url.pathname === '/callback'
      response.writeHead(right ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
      response.end(right ? 'You may close this page and go back to the terminal.\n' : 'There is nothing here.\n')
      if (right) came(url.search.slice(1))
    },
  )
  server.maxConnections = 10
  await listenOn(server, { host: '127.0.0.1', port: 0 })
  const limit = setTimeout(() => late(hostError('callback.late', { minutes: waitMs / 60_000 })), waitMs)
  return {
    redirectUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    query,
    close() {
      clearTimeout(limit)
      server.close()
      server.closeAllConnections()
    },
  }
}
