import { type Clock, type Metrics, meterOf } from '#kernel'
import type { JobKind } from '#work'

/** As many kinds of jobs as there may be. */
const kindsMost = 64

export const workMetrics = {
  pelago_work_steps_total: {
    kind: 'counter',
    help: 'Steps of background jobs that this process did, by outcome; saved: a transaction decided what came of it.',
    labels: { kind: { most: kindsMost }, outcome: ['more', 'rest', 'done', 'saved', 'failed'] },
  },
  pelago_work_step_seconds: {
    kind: 'histogram',
    help: 'How long a step took.',
    labels: { kind: { most: kindsMost } },
    buckets: [0.001, 0.01, 0.1, 0.5, 1, 5, 15, 60],
  },
  pelago_work_last_step_seconds: {
    kind: 'gauge',
    help: 'When the last step that did not fail ended here, in seconds since 1970 UTC.',
    labels: { kind: { most: kindsMost } },
  },
} as const

/** The same kinds, whose steps are counted. A step is counted where its lease is held. */
export function measuredJobs(ports: { metrics: Metrics; clock: Clock }, kinds: readonly JobKind[]): JobKind[] {
  const { counter, gauge, histogram } = meterOf(ports.metrics, workMetrics)
  return kinds.map((kind) => ({
    ...kind,
    async step(job, fence, signal) {
      const began = ports.clock.now()
      const label = { kind: kind.name }
      let outcome: 'more' | 'rest' | 'done' | 'saved' | 'failed' = 'failed'
      try {
        const step = await kind.step(job, fence, signal)
        outcome = typeof step === 'function' ? 'saved' : step.next
        gauge('pelago_work_last_step_seconds', label).set(ports.clock.now() / 1000)
        return step
      } finally {
        counter('pelago_work_steps_total', { ...label, outcome }).add()
        histogram('pelago_work_step_seconds', label).observe((ports.clock.now() - began) / 1000)
      }
    },
  }))
}
