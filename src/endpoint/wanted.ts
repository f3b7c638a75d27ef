import { createHash } from 'node:crypto'
import { canonicalJson } from '#kernel'
import type { ChallengeKind } from './certificates.store.ts'

/** An account at a certification authority that knows its customers (RFC 8555 section 7.3.4). */
export type ExternalAccount = { keyId: string; hmacKey: Uint8Array }

/** How a certificate is ordered (RFC 8555). */
export type AcmeConfig = {
  /** URL of the authority's directory. */
  directory: string
  /** Mail addresses at which the authority reaches the operator. */
  contact: readonly string[]
  /** The operator has read the authority's terms and accepts them. */
  termsAgreed: boolean
  externalAccount?: ExternalAccount
  /** Ways to prove names, the best first. */
  challenges: readonly ChallengeKind[]
  /** One of those that the authority's directory names; its usual one without. */
  profile?: string
}

/** The certificate that the gateways of one index want to show together. */
export type WantedCertificate = {
  /** DNS names, and for self-made ones also IP addresses and wildcards; in small letters. */
  names: readonly string[]
  /** Ordered there; self-made without. */
  acme?: AcmeConfig
}

/** Under what a certificate lies in the index: gateways that want the same share it, and other names are another certificate. */
export function certificateId({ names, acme }: WantedCertificate): string {
  const text = canonicalJson({
    names: [...names].sort(),
    from: acme ? acme.directory : 'self-made',
    profile: acme?.profile ?? '',
  })
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
