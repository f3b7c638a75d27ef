import type { Clock } from '#kernel'
import type { Provider } from '#pool'
import type { RoleIdentity } from './role-identity.ts'
import { openTlsLink, type TlsLink } from './tls-link.ts'

/**
 * How a gateway reaches a provider by TLS: it must have the key that the directory pins.
 * @returns undefined where the gateway is not enrolled, or the directory pins no key
 */
export function providerLink(
  ports: { clock: Clock },
  own: RoleIdentity | undefined,
  { id, pin }: Pick<Provider, 'id' | 'pin'>,
): TlsLink | undefined {
  if (!own || pin === undefined) return undefined
  const peer = `provider ${id}`
  return openTlsLink(ports, { source: own.source, authority: own.authority, role: 'provider', id, pin, peer })
}
