import { type ChallengeAnswer, type EndpointPorts, lookMs, readShared, type Shared } from '#endpoint'
import { reasonOf } from '#kernel'
import { type ChangingCertificate, openChanging } from './certificate-state.ts'

export type SharedCertificate = ChangingCertificate & { close(): void }

/**
 * Shows the certificate that lies in the index for all gateways, and the next one soon after it is there; hands on what an
 * authority is to find here. When the index does not answer, all stays as it is.
 * @param onAnswers called after each look
 * @throws endpoint.damaged
 */
export async function openSharedCertificate(
  ports: Pick<EndpointPorts, 'clock' | 'database' | 'sealer' | 'log'>,
  id: string,
  onAnswers: (answers: readonly ChallengeAnswer[]) => Promise<void>,
): Promise<SharedCertificate> {
  const { clock, log } = ports
  const first = await readShared(ports, id)
  const changing = openChanging(first.certificate)
  const take = async ({ answers, certificate, trouble }: Shared) => {
    if (certificate && certificate !== changing.certificate()) {
      changing.show(certificate)
      const until = changing.state().facts?.notAfter ?? 0
      log('info', 'certificate.taken', { until: new Date(until).toISOString() })
    }
    changing.trouble(trouble)
    await onAnswers(answers)
  }
  await take(first)
  let cancel = () => {}
  let closed = false
  let blind = false
  const next = () => {
    cancel = clock.after(lookMs, () => {
      readShared(ports, id, changing.certificate())
        .then(take)
        .then(
          () => {
            blind = false
          },
          (error: unknown) => {
            if (!blind && !closed) log('warn', 'certificate.unread', { reason: reasonOf(error) })
            blind = true
          },
        )
        .finally(() => closed || next())
    })
  }
  next()
  return {
    ...changing,
    close() {
      closed = true
      cancel()
    },
  }
}
