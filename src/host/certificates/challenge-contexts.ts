import type { KeyObject } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { type ChallengeAnswer, challengeCertificate } from '#endpoint'
import type { Clock, Random } from '#kernel'

/** What is shown to an authority that asks by tls-alpn-01, for each name. */
export type ChallengeContexts = {
  of(host: string): SecureContext | undefined
  /** Makes what is missing and forgets what nobody asks for any more. */
  keep(answers: readonly ChallengeAnswer[]): Promise<void>
}

const serialBytes = 16

export function openChallengeContexts(ports: { clock: Clock; random: Random; newKey(): KeyObject }): ChallengeContexts {
  const contexts = new Map<string, { answer: string; context: SecureContext }>()
  return {
    of: (host) => contexts.get(host)?.context,
    async keep(answers) {
      const wanted = answers.filter(({ kind }) => kind === 'tls-alpn-01')
      for (const host of contexts.keys()) if (!wanted.some((one) => one.host === host)) contexts.delete(host)
      for (const { host, answer } of wanted) {
        if (contexts.get(host)?.answer === answer) continue
        const key = ports.newKey()
        const serial = ports.random.bytes(serialBytes)
        const shown = await challengeCertificate({ host, answer, key, now: ports.clock.now(), serial })
        contexts.set(host, { answer, context: createSecureContext({ cert: shown.chain, key: shown.key }) })
      }
    },
  }
}
