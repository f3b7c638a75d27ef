import { lookup as lookUp } from 'node:dns/promises'
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http'
import { request as secureRequest } from 'node:https'
import { BlockList, isIP } from 'node:net'
import type { EgressAnswer, EgressFetch, EgressRequest } from '#kernel'
import { hostError } from '../errors.ts'

type Address = { address: string; family: number }

export type EgressConfig = {
  /** Origins (`http://127.0.0.1:4000`) that may be asked although they are private, plain or on another port. */
  origins: readonly string[]
  /** Finds the addresses of a host name; the machine's own way without. */
  resolve?: (host: string) => Promise<Address[]>
  limitBytes?: number
  limitMs?: number
  /** Authorities that are believed in the place of the public ones, PEM. */
  ca?: string
}

/** Addresses that are not of the public internet. Source: IANA special-purpose address registries (RFC 6890). */
const inner = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  inner.addSubnet(net, prefix, 'ipv4')
/** Of the other family only what is handed out as global unicast is public; these parts of it lead elsewhere. */
const outer6 = new BlockList()
outer6.addSubnet('2000::', 3, 'ipv6')
const inner6 = new BlockList()
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  inner6.addSubnet(net, prefix, 'ipv6')

/** Whether an address may be asked although nobody has configured it. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !inner.check(address, 'ipv4')
  return family === 6 && outer6.check(address, 'ipv6') && !inner6.check(address, 'ipv6')
}

/**
 * Opens the way out. A host name is resolved once, every address that it has must be public, and the connection goes to the
 * address that was judged, so that a second answer of the name's owner changes nothing.
 */
export function openEgress(config: EgressConfig): EgressFetch {
  const { limitBytes = 1024 * 1024, limitMs = 10_000 } = config
  const resolve = config.resolve ?? ((host: string) => lookUp(host, { all: true, verbatim: true }))
  const known = new Set(config.origins)
  return async (request) => {
    const url = urlOf(request.url)
    const { origin } = url
    const limit = AbortSignal.timeout(limitMs)
    const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit
    const reached = async () => {
      const target = await judge(url, known.has(origin), resolve)
      signal.throwIfAborted()
      const response = await send(url, target, request, signal, config.ca)
      const { statusCode: status = 0 } = response
      if (status >= 300 && status < 400) {
        response.destroy()
        throw hostError('egress.refused', { origin, reason: 'it sends us elsewhere' })
      }
      return { status, headers: headersOf(response), body: await bodyOf(response, limitBytes, origin) }
    }
    try {
      return await until(reached(), signal)
    } catch (error) {
      if (limit.aborted) throw hostError('egress.slow', { origin, seconds: limitMs / 1000 }, error)
      if (error instanceof Error && 'retryable' in error) throw error
      const reason = (error as NodeJS.ErrnoException).code ?? 'the connection failed'
      throw hostError('egress.failed', { origin, reason }, error)
    }
  }
}

/** @throws egress.refused */
async function judge(url: URL, configured: boolean, resolve: (host: string) => Promise<Address[]>): Promise<Address> {
  const { origin, protocol, port, username, password } = url
  const refuse = (reason: string) => hostError('egress.refused', { origin, reason })
  if (username !== '' || password !== '') throw refuse('its address holds a password')
  if (protocol !== 'https:' && !(configured && protocol === 'http:')) throw refuse('it is not https')
  if (port !== '' && !configured) throw refuse('its port is not 443')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const addresses = isIP(host) ? [{ address: host, family: isIP(host) }] : await resolve(host)
  const [first] = addresses
  if (!first) throw hostError('egress.failed', { origin, reason: 'its name has no address' })
  if (!configured && !addresses.every(({ address }) => isPublicAddress(address)))
    throw refuse('it is not on the public internet')
  return first
}

function send(
  url: URL,
  { address, family }: Address,
  { method = 'GET', headers = {}, body }: EgressRequest,
  signal: AbortSignal,
  ca: string | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions & { ca?: string } = {
      ...(ca !== undefined && { ca }),
      ...{ method, signal, agent: false, maxHeaderSize: 16 * 1024 },
      headers: {
        ...headers,
        'accept-encoding': 'identity',
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      },
      // The name stays in the certificate's check; the address is the one that was judged.
      lookup: (_host, { all }, found) => {
        if (all) (found as (error: null, addresses: Address[]) => void)(null, [{ address, family }])
        else found(null, address, family)
      },
    }
    const sending = (url.protocol === 'https:' ? secureRequest : plainRequest)(url, options, resolve)
    sending.on('error', reject)
    sending.end(body)
  })
}

async function bodyOf(response: IncomingMessage, limit: number, origin: string): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) {
      response.destroy()
      throw hostError('egress.large', { origin, limit })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function headersOf({ headers }: IncomingMessage): EgressAnswer['headers'] {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') plain[name] = value
  return plain
}

/** Name look-ups cannot be cut off; who waits for them can. */
function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason as Error)
    signal.addEventListener('abort', end, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end))
  })
}

function urlOf(text: string): URL {
  if (!URL.canParse(text)) throw hostError('egress.refused', { origin: text.slice(0, 100), reason: 'it is no address' })
  return new URL(text)
}
