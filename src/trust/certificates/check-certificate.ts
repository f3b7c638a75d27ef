import type { X509Certificate } from 'node:crypto'
import { trustError } from '../errors.ts'
import { type Identity, identityOf, type TrustRole } from './identity.ts'
import { pinOfKey } from './pin.ts'

/** Who is expected at the other end of a connection. */
export type ExpectedPeer = {
  /** The federation's authority. */
  authority: X509Certificate
  role: TrustRole
  /** Anybody of the role if not given. */
  id?: string
  /** Of the key that was enrolled; any key that the authority certified if not given. */
  pin?: string
  /** Milliseconds since 1970. */
  now: number
  /** The other side in words, for errors. */
  peer: string
}

const serverAuth = '1.3.6.1.5.5.7.3.1'
const clientAuth = '1.3.6.1.5.5.7.3.2'

/**
 * Looks whether a certificate is of who is expected: issued by the authority, in its time, of that role and id, with that key.
 * That the other side has the private key is not seen here; the handshake of TLS proves it.
 * @param presented undefined where none was shown
 * @throws tls.none, tls.authority, tls.expired, tls.early, tls.identity, tls.pin
 */
export function checkCertificate(presented: X509Certificate | undefined, expected: ExpectedPeer): Identity {
  const { authority, now, peer } = expected
  if (!presented) throw trustError('tls.none', { peer })
  const foreign = (reason: string) => trustError('tls.authority', { peer, reason })
  if (!authority.ca || presented.issuer !== authority.subject || !presented.verify(authority.publicKey))
    throw foreign('another one signed it')
  if (presented.ca) throw foreign('it is itself that of an authority')
  const usages = presented.keyUsage ?? []
  if (!usages.includes(serverAuth) || !usages.includes(clientAuth)) throw foreign('it is meant for something else')
  const until = Math.min(presented.validToDate.getTime(), authority.validToDate.getTime())
  if (now > until) throw trustError('tls.expired', { peer, until: new Date(until).toISOString() })
  if (now < presented.validFromDate.getTime())
    throw trustError('tls.early', { peer, from: presented.validFromDate.toISOString() })
  const identity = identityOf(presented)
  if (!identity || identity.role !== expected.role || (expected.id !== undefined && identity.id !== expected.id))
    throw trustError('tls.identity', { peer, found: identity ? `${identity.role} ${identity.id}` : 'no role at all' })
  if (expected.pin !== undefined && pinOfKey(presented.publicKey) !== expected.pin)
    throw trustError('tls.pin', { peer })
  return identity
}
