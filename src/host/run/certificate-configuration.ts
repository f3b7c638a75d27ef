import { isIP } from 'node:net'
import { choice, fields, flag, integer, list, optional, type Static, text } from '#api'
import type { ChallengeKind } from '#endpoint'
import { isLoopback } from '../tls/plain-address.ts'
import { hostError } from '../errors.ts'

const path = text({ min: 1, max: 4096 })
const url = text({ max: 1000, pattern: '^https?://[^\\s]+$', means: 'must be a URL' })

/** Where the certificate comes from that a gateway shows at its S3 endpoint, and at its API where that is not on loopback. */
export const certificateConfig = fields({
  kind: choice('given', 'self-made', 'acme'),
  /** Names and addresses beside `s3.hostnames`, such as that of the API and the console. */
  names: optional(list(text({ min: 1, max: 253 }), 32)),
  /** `given`: PEM, the server's own certificate first; taken anew when it changes. */
  certificateFile: optional(path),
  keyFile: optional(path),
  /** `acme`: the directory of the authority; Let's Encrypt's without. */
  directory: optional(url),
  /** Who issued the certificate of the directory itself, where that is no public authority; PEM. */
  directoryCaFile: optional(path),
  /** That the authority's terms were read and are accepted. */
  termsAgreed: optional(flag()),
  /** Mail addresses at which the authority reaches you. */
  contact: optional(list(text({ max: 254, pattern: '^[^@\\s]+@[^@\\s]+$', means: 'must be a mail address' }), 10)),
  /** For authorities that know their customers; the file holds the key that they gave out, base64url. */
  externalAccount: optional(fields({ keyId: text({ min: 1, max: 1000 }), hmacKeyFile: path })),
  challenges: optional(list(choice('tls-alpn-01', 'http-01'), 2)),
  /** Where http-01 is answered and everything else is sent on to https. */
  http: optional(fields({ host: text({ min: 1 }), port: integer({ min: 0, max: 65_535 }) })),
  profile: optional(text({ min: 1, max: 100 })),
})
export type CertificateConfig = Static<typeof certificateConfig>

/** Asked where no other authority is named. */
export const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory'

/** The name of the file in a gateway's folder that clients of a self-made certificate are to trust. */
export const authorityFile = 's3-ca.pem'

/** What of a gateway's configuration matters here. */
export type EndpointConfig = {
  s3: { host: string; port: number; hostnames: readonly string[]; shared?: boolean }
  api: { host: string; port: number }
  certificate?: CertificateConfig
}

/**
 * Every name and address that the certificate must be for: those of S3, the further ones, and where a listener has an address of
 * its own, that. In small letters, each once.
 */
export function hostnamesOf({ s3, api, certificate }: EndpointConfig): string[] {
  const listed = [...s3.hostnames, ...(certificate?.names ?? [])].map((name) => name.toLowerCase())
  return certificate?.kind === 'self-made'
    ? [...new Set([...listed, ...addressesOf([s3.host, api.host])])]
    : [...new Set(listed)]
}

/** Addresses that clients connect to; one that stands for all of the machine tells nothing. */
function addressesOf(hosts: readonly string[]): string[] {
  return hosts.filter((host) => isIP(host) !== 0 && host !== '0.0.0.0' && host !== '::')
}

/**
 * Refuses what would be plain on the network, and certificates that cannot be had that way. Before anything is opened.
 * @throws endpoint.plain, certificate.incomplete, certificate.terms, certificate.wildcard, certificate.address,
 * certificate.challenge
 */
export function checkEndpoints(config: EndpointConfig): void {
  const { s3, api, certificate } = config
  if (!certificate) {
    for (const [what, { host }] of [
      ['S3', s3],
      ['API', api],
    ] as const)
      if (!isLoopback(host)) throw hostError('endpoint.plain', { what, host })
    return
  }
  if (hostnamesOf(config).length === 0)
    throw hostError('certificate.incomplete', { kind: certificate.kind, field: 's3.hostnames' })
  if (certificate.kind === 'given') {
    for (const field of ['certificateFile', 'keyFile'] as const)
      if (certificate[field] === undefined) throw hostError('certificate.incomplete', { kind: 'given', field })
  }
  if (certificate.kind === 'acme') checkAcme(config, certificate)
}

function checkAcme(config: EndpointConfig, certificate: CertificateConfig): void {
  if (certificate.termsAgreed !== true)
    throw hostError('certificate.terms', { directory: certificate.directory ?? letsEncrypt })
  for (const name of hostnamesOf(config)) {
    if (name.startsWith('*')) throw hostError('certificate.wildcard', { name: name.replace(/^\*\./, '') })
    if (isIP(name) !== 0) throw hostError('certificate.address', { name })
  }
  const challenges = challengesOf(config, certificate)
  if (challenges.length === 0) throw hostError('certificate.challenge', { port: config.s3.port })
  if (challenges.includes('http-01') && !certificate.http)
    throw hostError('certificate.incomplete', { kind: 'acme', field: 'http' })
}

/** What was asked for; else what the ports allow: authorities connect to 443 and to 80. */
export function challengesOf({ s3 }: EndpointConfig, { challenges, http }: CertificateConfig): ChallengeKind[] {
  if (challenges) return challenges
  return [...(s3.port === 443 ? (['tls-alpn-01'] as const) : []), ...(http ? (['http-01'] as const) : [])]
}

/** Whom S3's certificate is for, and the file of who is to be trusted for it; public authorities without. */
export type Secure = { name: string; trust?: string }

/** A self-made certificate is for the address too; others are for names alone. @param authority file of who made it */
export function secureBy(
  certificate: CertificateConfig,
  { host, hostnames }: { host: string; hostnames: readonly string[] },
  authority: string,
): Secure {
  if (certificate.kind === 'self-made') return { name: host, trust: authority }
  const { certificateFile: trust } = certificate
  return { name: hostnames[0] ?? host, ...(trust !== undefined && { trust }) }
}
