import { type Metrics, meterOf } from '#kernel'
import type { CertificateState } from '../certificates/certificate-state.ts'

export const certificateMetrics = {
  pelago_endpoint_certificate_expires_seconds: {
    kind: 'gauge',
    help: 'When the certificate of the S3 endpoint ends, in seconds since 1970 UTC; 0 where there is none.',
  },
  pelago_endpoint_certificate_trouble: {
    kind: 'gauge',
    help: '1 when the next certificate was refused or could not be had, else 0.',
  },
} as const

/** What the S3 endpoint shows, brought up to date when the metrics are read. */
export function watchCertificate(metrics: Metrics, state: () => CertificateState): void {
  const { gauge } = meterOf(metrics, certificateMetrics)
  const expires = gauge('pelago_endpoint_certificate_expires_seconds', {})
  const troubled = gauge('pelago_endpoint_certificate_trouble', {})
  metrics.onRead(() => {
    const { facts, trouble } = state()
    expires.set((facts?.notAfter ?? 0) / 1000)
    troubled.set(trouble === '' ? 0 : 1)
  })
}
