import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { type Metrics, meterOf } from '#kernel'

export const processMetrics = {
  pelago_build_info: {
    kind: 'gauge',
    help: 'Always 1; says which role and version this is.',
    labels: { role: ['federation', 'provider', 'gateway', 'supervisor'], version: { most: 1 } },
  },
  process_cpu_seconds_total: { kind: 'counter', help: 'Processor time, in user and system mode.' },
  process_resident_memory_bytes: { kind: 'gauge', help: 'Memory of the process that is in use.' },
  process_heap_bytes: { kind: 'gauge', help: 'Memory that objects of the program use.' },
  process_start_time_seconds: { kind: 'gauge', help: 'When the process began, in seconds since 1970 UTC.' },
  process_open_fds: { kind: 'gauge', help: 'Open descriptors; -1 where the system does not tell.' },
  pelago_loop_delay_seconds: {
    kind: 'gauge',
    help: 'How late a timer rang since the metrics were last read.',
    labels: { quantile: ['0.5', '0.99', '1'] },
  },
  pelago_loop_busy_ratio: {
    kind: 'gauge',
    help: 'Share of the time since the metrics were last read in which the one thread of the process had work.',
  },
} as const

/** Rings so often, milliseconds: enough to see what keeps the loop, seldom enough to cost nothing. */
const resolution = 50
const nanoseconds = 1e9

/** What every process says about itself. @returns ends the watching */
export function watchProcess(
  metrics: Metrics,
  { role, version }: { role: 'federation' | 'provider' | 'gateway' | 'supervisor'; version: string },
): () => void {
  const { counter, gauge } = meterOf(metrics, processMetrics)
  gauge('pelago_build_info', { role, version }).set(1)
  gauge('process_start_time_seconds', {}).set(performance.timeOrigin / 1000)
  const cpu = counter('process_cpu_seconds_total', {})
  let used = 0
  const resident = gauge('process_resident_memory_bytes', {})
  const heap = gauge('process_heap_bytes', {})
  const descriptors = gauge('process_open_fds', {})
  const busy = gauge('pelago_loop_busy_ratio', {})
  const quantiles = (['0.5', '0.99', '1'] as const).map((quantile) => ({
    percent: Number(quantile) * 100,
    gauge: gauge('pelago_loop_delay_seconds', { quantile }),
  }))
  const delay = monitorEventLoopDelay({ resolution })
  delay.enable()
  let before = performance.eventLoopUtilization()
  metrics.onRead(() => {
    const { user, system } = process.cpuUsage()
    cpu.add((user + system) / 1e6 - used)
    used = (user + system) / 1e6
    const memory = process.memoryUsage()
    resident.set(memory.rss)
    heap.set(memory.heapUsed)
    descriptors.set(openDescriptors())
    const now = performance.eventLoopUtilization()
    busy.set(performance.eventLoopUtilization(now, before).utilization)
    before = now
    // The delay of a timer counts its own period.
    for (const one of quantiles)
      one.gauge.set(Math.max(0, delay.percentile(one.percent) / nanoseconds - resolution / 1000))
    delay.reset()
  })
  return () => void delay.disable()
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return -1
  }
}
