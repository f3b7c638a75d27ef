import type { X509Certificate } from 'node:crypto'
import { earlierMs } from './issue-certificate.ts'

/** Of a certificate's life, the part that is left when it is renewed; and the part over which those of all roles are spread. */
const leftAtRenewal = 1 / 3
const spread = 1 / 20

/** How long a certificate was meant to be good when it was issued, milliseconds. */
export function lifeOf(certificate: X509Certificate): number {
  return certificate.validToDate.getTime() - (certificate.validFromDate.getTime() + earlierMs)
}

/**
 * When a certificate is to be renewed: with a third of its life left, or somewhat earlier, so that not all roles come at once.
 * @param chance from 0 to 1, drawn once per certificate
 * @returns milliseconds since 1970
 */
export function renewalAt(certificate: X509Certificate, chance: number): number {
  return certificate.validToDate.getTime() - lifeOf(certificate) * (leftAtRenewal + spread * chance)
}
