import type { Certificate } from './certificate.ts'
import { type ChallengeAnswer, findCertificate, openAnswers } from './certificates.store.ts'
import type { EndpointPorts } from './ports.ts'
import { certificatePurpose } from './put-certificate.ts'

/** What all gateways share at a moment. */
export type Shared = {
  /** Undefined while there is none. */
  certificate: Certificate | undefined
  /** When it was put there, milliseconds since 1970; 0 without one. Another certificate has another time or chain. */
  takenAt: number
  /** Why the next one could not be had; empty when nothing is wrong. */
  trouble: string
  /** What an authority may ask any of the gateways for. */
  answers: ChallengeAnswer[]
}

/**
 * Reads what the gateways share of their certificate.
 * @param known the chain that the caller has already; the key is not opened again for it
 * @throws endpoint.damaged
 */
export async function readShared(
  { clock, database, sealer }: Pick<EndpointPorts, 'clock' | 'database' | 'sealer'>,
  id: string,
  known?: Certificate,
): Promise<Shared> {
  const now = clock.now()
  const { stored, answers } = await database.read(function* () {
    return { stored: yield* findCertificate(id), answers: yield* openAnswers(now) }
  })
  const { chain = '', sealed, takenAt = 0, trouble = '' } = stored ?? {}
  if (chain === '' || !sealed) return { certificate: undefined, takenAt: 0, trouble, answers }
  const same = known?.chain === chain
  const certificate = same ? known : { chain, key: sealer.open(certificatePurpose(id), sealed) }
  return { certificate, takenAt, trouble, answers }
}
