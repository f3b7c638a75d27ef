import { type Clock, type Log, type Metrics, meterOf, type Random, reasonOf } from '#kernel'
import { lifeOf, renewalAt } from '#trust'
import { certificateMetrics } from '../observe/tls-metrics.ts'
import type { Check } from '../observe/self-report.ts'
import type { Issued, RoleIdentity } from './role-identity.ts'

export type Renewal = {
  /** For `/readyz`: how long the certificate is good, and why it was not renewed where that failed. */
  check(): Check
  close(): void
}

const day = 24 * 60 * 60 * 1000
/** With less than that left, and no renewal, the role is not well. */
const shortMs = 7 * day
/** A certificate that lives shorter than usual is short of time later: with so much of its life left. */
const shortPart = 7 / 30
/** After a failure, it is tried again so soon, twice as late each time, up to the longest. Of a short life it is a part at the most. */
const firstAgainMs = 60_000
const longestAgainMs = 60 * 60 * 1000
const againPart = 1 / 50
/** Clocks may be set meanwhile, and machines sleep, so nothing is waited for in one piece that is longer. */
const lookMs = 60 * 60 * 1000

/**
 * Renews a role's certificate for as long as the role runs: with a third of its life left, and again until it succeeds. What is
 * listening and what calls shows the new one from its next connection on; nothing under way is broken.
 * @param renew asks the issuer
 */
export function openRenewal(
  { clock, log, random, metrics }: { clock: Clock; log: Log; random: Random; metrics: Metrics },
  role: RoleIdentity,
  renew: () => Promise<Issued>,
): Renewal {
  const meter = meterOf(metrics, certificateMetrics)
  const until = () => role.certificate().validToDate.getTime()
  metrics.onRead(() => meter.gauge('pelago_certificate_expires_seconds', {}).set(Math.floor(until() / 1000)))
  let failures = 0
  let failed: string | undefined
  let closed = false
  let cancel = () => {}
  const chance = () => (random.bytes(1)[0] ?? 0) / 255
  let at = renewalAt(role.certificate(), chance())
  const next = () => {
    if (closed) return
    const ms = Math.max(at - clock.now(), 0)
    cancel = ms > lookMs ? clock.after(lookMs, next) : clock.after(ms, attempt)
  }
  const attempt = () => {
    renew()
      .then((issued) => {
        role.take(issued)
        failures = 0
        failed = undefined
        at = renewalAt(role.certificate(), chance())
        meter.counter('pelago_certificate_renewals_total', { outcome: 'good' }).add()
        log('info', 'certificate.renewed', { until: role.certificate().validToDate.toISOString() })
      })
      .catch((error: unknown) => {
        failed = reasonOf(error)
        const longest = Math.min(longestAgainMs, lifeOf(role.certificate()) * againPart)
        const again = Math.min(firstAgainMs * 2 ** failures, longest) * (0.75 + 0.5 * chance())
        failures++
        at = clock.now() + again
        meter.counter('pelago_certificate_renewals_total', { outcome: 'failed' }).add()
        log('warn', 'certificate.unrenewed', { reason: failed, again: Math.round(again / 1000) })
      })
      .finally(next)
  }
  next()
  return {
    check() {
      const left = until() - clock.now()
      const says = `the certificate is good until ${role.certificate().validToDate.toISOString()}`
      if (failed === undefined && left > 0) return { name: 'identity', state: 'good', says }
      const short = left < Math.min(shortMs, lifeOf(role.certificate()) * shortPart)
      return {
        name: 'identity',
        state: short ? 'bad' : 'warning',
        says: `${says}; renewing it fails: ${failed ?? 'not tried yet'}`,
      }
    },
    close() {
      closed = true
      cancel()
    },
  }
}
