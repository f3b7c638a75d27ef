import { appendFact } from '#journal'
import type { Row, Statement } from '#kernel'
import { factsOf } from './certificate.ts'
import { takeCertificate } from './certificates.store.ts'
import type { EndpointPorts } from './ports.ts'

/** What a private key of a certificate is sealed for. */
export const certificatePurpose = (id: string) => `certificate ${id}`

/** The transaction's part that puts a new certificate there for all gateways, and says so in the log. */
export function* putCertificate(
  { journal, sealer }: Pick<EndpointPorts, 'journal' | 'sealer'>,
  input: { id: string; by: 'self-made' | 'acme'; chain: string; key: string; now: number },
): Generator<Statement, void, Row[]> {
  const { id, by, chain, key, now } = input
  const { digest, names, notAfter } = factsOf(chain)
  yield* takeCertificate(id, chain, sealer.seal(certificatePurpose(id), key), now)
  const facts = { by, names: names.length, until: notAfter }
  yield* appendFact(journal, { topic: 'certificate.taken', about: digest, actor: 'system', tenant: '', at: now, facts })
}
