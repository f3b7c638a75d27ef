import { readFileSync } from 'node:fs'
import type { Metrics } from '#kernel'
import type { ObserveConfig } from '../run/configuration.ts'
import { programVersion } from '../run/program-version.ts'
import { type ApiMeter, openApiMeter } from './api-metrics.ts'
import { openMetrics } from './open-metrics.ts'
import { watchProcess } from './process-metrics.ts'
import { type Check, openSelfReport, type SelfReport } from './self-report.ts'

/** What is written next to everything that a role does. */
export type Observed = {
  metrics: Metrics
  apiMeter: ApiMeter
  report: SelfReport
  /** What `/readyz` looks at; nothing until it is set. */
  checks(look: () => Promise<Check[]>): void
  close(): void
}

/** Opens metrics and the report of one role's process. @throws file.missing for a token that is named and not there */
export function observeRole(
  role: 'federation' | 'provider' | 'gateway' | 'supervisor',
  config: ObserveConfig = {},
): Observed {
  const metrics = openMetrics()
  const stop = watchProcess(metrics, { role, version: programVersion() })
  const token = config.metricsTokenFile === undefined ? undefined : readFileSync(config.metricsTokenFile, 'utf8').trim()
  let look = async (): Promise<Check[]> => [{ name: 'process', state: 'bad', says: 'it has not started yet' }]
  return {
    metrics,
    apiMeter: openApiMeter(metrics),
    report: openSelfReport({ metrics, checks: () => look(), ...(token !== undefined && { token }) }),
    checks(by) {
      look = by
    },
    close: stop,
  }
}
