import { isLoopback, refusePlainListen } from './plain-address.ts'
import type { RoleIdentity } from './role-identity.ts'
import { hostError } from '../errors.ts'

/**
 * Whether a role speaks TLS where it listens: where the configuration says so, and wherever others can listen in.
 * @param what as the configuration names it
 * @returns who it is there; undefined for plain HTTP on this machine
 * @throws tls.listen for plain HTTP that others can read, tls.unenrolled for TLS without a certificate
 */
export function wantsTls<T extends RoleIdentity>(
  what: string,
  listen: { host: string; port: number; tls?: boolean },
  identity: T | undefined,
): T | undefined {
  if (listen.tls === false || (!listen.tls && !identity))
    refusePlainListen(what, listen, '`enrolled`, and `tls` not false')
  if (!(listen.tls ?? !isLoopback(listen.host))) return undefined
  if (!identity) throw hostError('tls.unenrolled', { url: `${what} at ${listen.host}:${listen.port}` })
  return identity
}
