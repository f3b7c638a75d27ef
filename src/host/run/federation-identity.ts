import { createPublicKey } from 'node:crypto'
import { join } from 'node:path'
import type { Clock, Random } from '#kernel'
import { type Authority, issueCertificate, leafMs } from '#trust'
import { type Issued, keptIdentity, type RoleIdentity } from '../tls/role-identity.ts'
import type { FederationConfig } from './configuration.ts'
import { keyIn } from './own-keys.ts'

/**
 * Who the federation itself is on the wire: it issues its own certificate, anew at each start and for each renewal. Its key lies
 * in its folder, made when it is missing.
 */
export async function federationIdentity(
  { clock, random }: { clock: Clock; random: Random },
  authority: Authority,
  { folder, api, url, certificateSeconds }: FederationConfig,
): Promise<RoleIdentity & { issue(): Promise<Issued> }> {
  const key = keyIn(join(folder, 'identity.pem'), 'p256')
  const known = url === undefined ? [] : [new URL(url).hostname.replace(/^\[|\]$/g, '')]
  // A server that listens everywhere is known by the name in its URL alone.
  const names = [...new Set(api.host === '0.0.0.0' || api.host === '::' ? known : [...known, api.host])]
  const identity = { role: 'federation', id: 'federation' } as const
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const issue = async (): Promise<Issued> => {
    const lifeMs = (certificateSeconds ?? leafMs / 1000) * 1000
    const input = { ...identity, publicKey, names, now: clock.now(), serial: random.bytes(16), lifeMs }
    return { certificate: await issueCertificate(authority, input), authority: authority.certificate.toString() }
  }
  const keep = () => 'it is issued anew at the next start'
  return { ...keptIdentity({ now: clock.now, keep }, identity, key, await issue()), issue }
}
