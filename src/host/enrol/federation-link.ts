import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Agent } from 'node:http'
import { renewCertificate } from '#api'
import { type Client, openClient, type Transport } from '#client'
import type { Clock, Random } from '#kernel'
import { signRequest } from '#trust'
import { callApi } from '../http/api-call.ts'
import { openLinkAgent, openTlsLink } from '../tls/tls-link.ts'

/** Asks the federation as a member: each request is signed by the member's identity. */
export type FederationLink = {
  ask: Client['ask']
  /** Another certificate for the identity, with the authority's; PEM. */
  renew(): Promise<{ certificate: string; authority: string }>
  close(): void
}

const answerMs = 30_000
const silentMs = 10_000

/**
 * @param as.key ECDSA on P-256, private
 * @param as.authority believed where the URL is `https:`
 */
export function openFederationLink(
  ports: { clock: Clock; random: Random },
  as: { url: string; id: string; key: KeyObject; authority: X509Certificate | undefined },
): FederationLink {
  const { clock, random } = ports
  const { url, id, key } = as
  const agent = federationAgent(ports, url, as.authority)
  const send: Transport = ({ method, path, headers, body, signal }) => {
    const nonce = Buffer.from(random.bytes(18)).toString('base64url')
    const asked = { method, authority: new URL(url).host, target: path, body: Buffer.from(body ?? '') }
    const signed = signRequest(asked, { key, keyId: id, nonce, now: clock.now() })
    return callApi({ url, method, path, headers: { ...headers, ...signed }, body, signal, agent }, answerMs)
  }
  const stream = () => Promise.reject(new Error('members follow no streams of the federation'))
  const { ask } = openClient({ send, stream, clock, random })
  return { ask, renew: () => ask(renewCertificate, {}), close: () => agent?.destroy() }
}

/** How the federation is connected to; undefined where that is plain. */
export function federationAgent(
  { clock }: { clock: Clock },
  url: string,
  authority: X509Certificate | undefined,
): Agent | undefined {
  if (new URL(url).protocol !== 'https:' || !authority) return undefined
  const to = {
    authority: () => authority,
    role: 'federation',
    id: 'federation',
    peer: `the federation at ${url}`,
  } as const
  return openLinkAgent(openTlsLink({ clock }, to), { keepAlive: false, timeout: silentMs })
}
