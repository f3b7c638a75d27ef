import type { Clock } from '#kernel'
import { checkCertificate, pinOfKey } from '#trust'
import type { RoleIdentity } from './role-identity.ts'
import type { TlsListen } from './tls-edge.ts'

/**
 * Lets in gateways that the federation certified. Which of them may do what is seen request by request, by the directory: one
 * that was revoked still has its certificate.
 */
export function gatewayJudge({ now }: Pick<Clock, 'now'>, own: RoleIdentity): NonNullable<TlsListen['judge']> {
  return (certificate) => {
    const expected = { authority: own.authority(), role: 'gateway', now: now(), peer: 'a caller' } as const
    const identity = checkCertificate(certificate, expected)
    return { ...identity, pin: certificate ? pinOfKey(certificate.publicKey) : '' }
  }
}
