import { readFileSync } from 'node:fs'
import type { Metrics } from '#kernel'
import type { OpenLog } from '../log.ts'
import type { ObserveConfig } from '../run/observe-configuration.ts'
import { programVersion } from '../run/program-version.ts'
import { type ApiMeter, openApiMeter } from './api-metrics.ts'
import { openMetrics } from './open-metrics.ts'
import { watchProcess } from './process-metrics.ts'
import { openTraceExport } from './trace-export.ts'
import { openTlsMeter, type TlsMeter } from './tls-metrics.ts'
import { openTracer, type Tracer } from './tracer.ts'
import { openRandom } from '../random.ts'
import { type Check, openSelfReport, type SelfReport } from './self-report.ts'

/** What is written next to everything that a role does. */
export type Observed = {
  metrics: Metrics
  apiMeter: ApiMeter
  tlsMeter: TlsMeter
  report: SelfReport
  /** Undefined where nothing is to be traced. */
  tracer: Tracer | undefined
  /** What `/readyz` looks at; nothing until it is set. */
  checks(look: () => Promise<Check[]>): void
  close(): Promise<void>
}

/** One request in a hundred is kept, if nothing else is said, and whatever takes a second. */
const usual = { sample: 0.01, slowMs: 1000, providers: 'unlinked' } as const

/** Opens metrics and the report of one role's process. @throws file.missing for a token that is named and not there */
export function observeRole(
  role: 'federation' | 'provider' | 'gateway' | 'supervisor',
  config: ObserveConfig | undefined,
  { log, watch, id = role }: Pick<OpenLog, 'log' | 'watch'> & { id?: string },
): Observed {
  const metrics = openMetrics()
  const stop = watchProcess(metrics, { role, version: programVersion() })
  const token = secretIn(config?.metricsTokenFile)
  const { traces } = config ?? {}
  const authorization = secretIn(traces?.authorizationFile)
  const resource = { service: `pelago-${role}`, version: programVersion(), instance: id }
  const sent =
    traces &&
    openTraceExport(
      { metrics, log },
      { endpoint: traces.endpoint, resource, ...(authorization !== undefined && { authorization }) },
    )
  const tracer =
    traces && sent && openTracer({ random: openRandom(), keep: sent.keep, lost: sent.lost }, { ...usual, ...traces })
  watch({ level: config?.logLevel, traceId: tracer?.traceId })
  let look = async (): Promise<Check[]> => [{ name: 'process', state: 'bad', says: 'it has not started yet' }]
  return {
    metrics,
    apiMeter: openApiMeter(metrics),
    tlsMeter: openTlsMeter(metrics),
    report: openSelfReport({ metrics, checks: () => look(), ...(token !== undefined && { token }) }),
    tracer,
    checks(by) {
      look = by
    },
    async close() {
      stop()
      await sent?.close()
    },
  }
}

const secretIn = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file, 'utf8').trim())
