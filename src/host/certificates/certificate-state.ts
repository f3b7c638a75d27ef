import { type Certificate, type CertificateFacts, factsOf } from '#endpoint'
import type { CertificateSource, Credentials } from '../tls/credentials.ts'

/** What a gateway shows at the moment, and why it is not the latest where that is so. */
export type CertificateState = {
  /** Undefined while there is none. */
  facts: CertificateFacts | undefined
  /** Empty when nothing is wrong. */
  trouble: string
}

/** A certificate that changes while it is shown. */
export type ChangingCertificate = {
  source: CertificateSource
  state(): CertificateState
  certificate(): Certificate | undefined
  /** Shows another one from here on. */
  show(certificate: Certificate): void
  /** Something is wrong with the next one; empty: nothing any more. */
  trouble(says: string): void
}

/** Without one, no handshake comes to its end, and clients hear of no certificate that they could take for the right one. */
const none: Credentials = { cert: '', key: '' }

export function openChanging(first: Certificate | undefined): ChangingCertificate {
  const listeners = new Set<() => void>()
  let certificate = first
  let facts = first && factsOf(first.chain)
  let trouble = ''
  return {
    source: {
      current: () => (certificate ? { cert: certificate.chain, key: certificate.key } : none),
      onChange(heard) {
        listeners.add(heard)
        return () => void listeners.delete(heard)
      },
    },
    state: () => ({ facts, trouble }),
    certificate: () => certificate,
    show(next) {
      certificate = next
      facts = factsOf(next.chain)
      trouble = ''
      for (const heard of listeners) heard()
    },
    trouble(says) {
      trouble = says
    },
  }
}
