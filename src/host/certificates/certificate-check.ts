import type { Check } from '../observe/self-report.ts'
import type { CertificateState } from './certificate-state.ts'

const dayMs = 24 * 60 * 60 * 1000
/** Whoever looks after it should hear so long before it ends; of short lives, when a fifth is left. */
const soonMs = 7 * dayMs
const soonPart = 0.2

/** What `/readyz` says of the certificate: without a good one nobody can be served. @param now milliseconds since 1970 */
export function certificateCheck({ facts, trouble }: CertificateState, now: number): Check {
  const name = 's3-certificate'
  if (!facts) return { name, state: 'bad', says: `there is no certificate yet${trouble && `: ${trouble}`}` }
  const { notAfter, notBefore } = facts
  const until = new Date(notAfter).toISOString()
  if (notAfter <= now) return { name, state: 'bad', says: `it expired on ${until}${trouble && `: ${trouble}`}` }
  if (trouble !== '') return { name, state: 'warning', says: `it is good until ${until}, but: ${trouble}` }
  const soon = Math.min(soonMs, (notAfter - notBefore) * soonPart)
  if (notAfter - now < soon) return { name, state: 'warning', says: `it expires soon, on ${until}` }
  return { name, state: 'good', says: `it is good until ${until}` }
}
