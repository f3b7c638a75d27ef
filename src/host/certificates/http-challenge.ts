import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ChallengeAnswer } from '#endpoint'
import { type Listen, listenOn } from '../http/listen.ts'

/** The listener for plain HTTP, which serves nothing but what proves names (RFC 8555 section 8.3), and sends others to https. */
export type HttpChallenge = { port: number; close(): Promise<void> }

const path = '/.well-known/acme-challenge/'
const limits = { headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 1000, maxHeaderSize: 8192 }
const connectionsMost = 200

/**
 * Opens it.
 * @param input.answer finds what an authority asks for
 * @param input.hostnames names that are sent on; nobody is sent anywhere else
 * @param input.port where https is spoken
 * @throws port.taken, port.denied
 */
export async function openHttpChallenge(
  listen: Pick<Listen, 'host' | 'port' | 'shared'>,
  input: {
    answer(token: string): ChallengeAnswer | undefined
    hostnames: readonly string[]
    port: number
  },
): Promise<HttpChallenge> {
  const server = createServer(limits, (request, response) => {
    const { status, headers = {}, text } = answerOf(request, input)
    say(response, status, { 'content-type': 'text/plain; charset=utf-8', ...headers }, text)
    // A body is nobody's concern here.
    request.resume()
  })
  server.maxConnections = connectionsMost
  server.maxRequestsPerSocket = 10
  server.on('clientError', (_, socket) => socket.destroy())
  await listenOn(server, listen)
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Said = { status: number; headers?: Record<string, string>; text: string }

function answerOf(
  { headers, method, url = '/' }: IncomingMessage,
  input: Parameters<typeof openHttpChallenge>[1],
): Said {
  const host = (headers.host ?? '').toLowerCase().replace(/:\d+$/, '')
  if (url.startsWith(path)) {
    const found = method === 'GET' || method === 'HEAD' ? input.answer(url.slice(path.length)) : undefined
    if (found && found.host === host) return { status: 200, text: found.answer }
    return { status: 404, text: 'Nobody asked for this.\n' }
  }
  const known = input.hostnames.some((name) => host === name || host.endsWith(`.${name}`))
  if (!known || !url.startsWith('/')) return { status: 404, text: 'There is nothing here; use https.\n' }
  const place = `https://${host}${input.port === 443 ? '' : `:${input.port}`}${url}`
  return { status: 308, headers: { location: place }, text: 'Use https.\n' }
}

function say(response: ServerResponse, status: number, headers: Record<string, string>, text: string): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
