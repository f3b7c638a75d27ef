import type { X509Certificate } from 'node:crypto'

/** Of a certificate's life, the part that is left when it is renewed; and the part over which those of all roles are spread. */
const leftAtRenewal = 1 / 3
const spread = 1 / 20

/**
 * When a certificate is to be renewed: with a third of its life left, or somewhat earlier, so that not all roles come at once.
 * @param chance from 0 to 1, drawn once per certificate
 * @returns milliseconds since 1970
 */
export function renewalAt(certificate: X509Certificate, chance: number): number {
  const [from, until] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()]
  return until - (until - from) * (leftAtRenewal + spread * chance)
}
