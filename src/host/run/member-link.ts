import type { Clock, Random } from '#kernel'
import type { SignedDirectory } from '#pool'
import { federationAgent, openFederationLink } from '../enrol/federation-link.ts'
import { hostError } from '../errors.ts'
import { callApi } from '../http/api-call.ts'
import { refusePlainUrl } from '../tls/plain-address.ts'
import type { Issued, RoleIdentity } from '../tls/role-identity.ts'

const answerMs = 5000

/** What a role that runs asks its federation: by TLS, or plainly on this machine. */
export type MemberLink = {
  url: string
  /** The directory; undefined while the version that is known is the newest. @throws connect.refused, connect.slow, tls.… */
  directory(known: number | undefined): Promise<SignedDirectory | undefined>
  /** Another certificate, for the key that signs the request. */
  renew(): Promise<Issued>
  close(): void
}

/**
 * @param identity what the member got when it joined; without, only a federation of this machine can be asked
 * @throws tls.ask for plain HTTP to another machine, tls.unenrolled for https without an identity
 */
export function openMemberLink(
  ports: { clock: Clock; random: Random },
  url: string,
  identity: RoleIdentity | undefined,
): MemberLink {
  refusePlainUrl('federation.url', url)
  if (url.startsWith('https:') && !identity) throw hostError('tls.unenrolled', { url })
  const authority = identity?.authority()
  const agent = federationAgent(ports, url, authority)
  const signing = identity && openFederationLink(ports, { url, id: identity.id, key: identity.key, authority })
  return {
    url,
    async directory(known) {
      const headers = known === undefined ? {} : { 'if-none-match': `"${known}"` }
      const { status, body } = await callApi({ url, method: 'GET', path: '/v1/directory', headers, agent }, answerMs)
      if (status === 304) return undefined
      if (status !== 200) throw hostError('connect.refused', { url })
      const { directory, signature } = JSON.parse(body) as SignedDirectory
      return { directory, signature }
    },
    renew: () => (signing ? signing.renew() : Promise.reject(hostError('tls.unenrolled', { url }))),
    close() {
      agent?.destroy()
      signing?.close()
    },
  }
}
