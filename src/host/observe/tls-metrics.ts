import { type Metrics, meterOf } from '#kernel'

const refusals = [
  'plain',
  'version',
  'protocol',
  'distrust',
  'left',
  'slow',
  'many',
  'none',
  'authority',
  'expired',
  'early',
  'identity',
  'pin',
  'other',
] as const
/** Why a connection came to nothing: the first ones in the handshake, the rest by its certificate. */
export type TlsRefusal = (typeof refusals)[number]

export const tlsMetrics = {
  pelago_tls_handshakes_total: {
    kind: 'counter',
    help: 'Connections that others made and that became secure; resumed: by a ticket, without certificates.',
    labels: { kind: ['full', 'resumed'] },
  },
  pelago_tls_refused_total: {
    kind: 'counter',
    help: 'Connections that others made and that came to nothing, by reason; the log says more.',
    labels: { why: refusals },
  },
  pelago_tls_pending: { kind: 'gauge', help: 'Handshakes that are under way.' },
} as const

/** At roles that have a certificate. */
export const certificateMetrics = {
  pelago_certificate_expires_seconds: {
    kind: 'gauge',
    help: 'When the certificate of this role expires, seconds since 1970.',
  },
  pelago_certificate_renewals_total: {
    kind: 'counter',
    help: 'Attempts to renew the certificate of this role.',
    labels: { outcome: ['good', 'failed'] },
  },
} as const

/** Counts at a listener that speaks TLS. */
export type TlsMeter = {
  secured(resumed: boolean): void
  refused(why: TlsRefusal): void
  pending(count: number): void
  /** A code as one of the reasons; `other` where there is none of that name. */
  known(code: string): TlsRefusal
}

const known = (code: string): TlsRefusal => refusals.find((one) => one === code) ?? 'other'

export function openTlsMeter(metrics: Metrics): TlsMeter {
  const { counter, gauge } = meterOf(metrics, tlsMetrics)
  return {
    secured: (resumed) => counter('pelago_tls_handshakes_total', { kind: resumed ? 'resumed' : 'full' }).add(),
    refused: (why) => counter('pelago_tls_refused_total', { why }).add(),
    pending: (count) => gauge('pelago_tls_pending', {}).set(count),
    known,
  }
}

export const noTlsMeter: TlsMeter = { secured() {}, refused() {}, pending() {}, known }
