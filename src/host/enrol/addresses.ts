import { hostError } from '../errors.ts'
import { isLoopback } from '../tls/plain-address.ts'

/** Where a role listens, or is reached. */
export type Address = { host: string; port: number }

/** Reads `HOST:PORT`. @param option named in the error @throws address.unclear */
export function addressOf(given: string, option: string): Address {
  const url = URL.parse(`tcp://${given}`)
  const port = Number(url?.port)
  if (!url || url.hostname === '' || !Number.isInteger(port) || port < 1 || given.includes('/'))
    throw hostError('address.unclear', { option, given, example: '10.7.0.1:4300' })
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port }
}

/**
 * Reads an address as a URL. Without a scheme it is `https`, and plain only on this machine, where nobody is on the wire.
 * @throws address.unclear
 */
export function urlOf(given: string, option: string): { url: string } & Address {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?([^/]+)\/?$/.exec(given) ?? []
  const { host, port } = addressOf(rest, option)
  const name = host.includes(':') ? `[${host}]` : host
  return { url: `${scheme ?? (isLoopback(host) ? 'http' : 'https')}://${name}:${port}`, host, port }
}

/** Whether a role that is reached there has to speak TLS, on this machine too. */
export const isSecure = (url: string): boolean => url.startsWith('https:')
