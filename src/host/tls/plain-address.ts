import { BlockList, isIP } from 'node:net'
import { hostError } from '../errors.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether a host is this machine itself, so that nobody is on the wire. Names count only where they can mean nothing else. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  const family = isIP(bare)
  if (family === 0) return bare === 'localhost' || bare.endsWith('.localhost')
  return loopback.check(
    bare.replace(/^::ffff:(?=[\d.]+$)/, ''),
    family === 6 && !/^::ffff:[\d.]+$/.test(bare) ? 'ipv6' : 'ipv4',
  )
}

/** @returns why a URL may not be asked; undefined for `https:`, and for `http:` on this machine */
export function plainFault(url: string): string | undefined {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) return undefined
  return `${url} is plain HTTP to another machine; use https`
}

/**
 * Refuses a configuration that would listen plainly where others can listen in.
 * @param what as the configuration names it, such as `s3`
 * @param how where its certificate comes from, in words
 * @throws tls.listen
 */
export function refusePlainListen(what: string, { host, port }: { host: string; port: number }, how: string): void {
  if (!isLoopback(host)) throw hostError('tls.listen', { what, address: `${host}:${port}`, how })
}

/** Refuses a configuration that would ask another machine plainly. @throws tls.ask */
export function refusePlainUrl(what: string, url: string): void {
  if (plainFault(url) !== undefined) throw hostError('tls.ask', { what, url })
}
