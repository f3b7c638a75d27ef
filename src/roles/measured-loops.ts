import { type Clock, type Metrics, meterOf } from '#kernel'
import type { Loop } from '#work'

/** As many loops as there may be. */
const loopsMost = 64

export const workMetrics = {
  pelago_work_rounds_total: {
    kind: 'counter',
    help: 'Rounds of background work that this process did, by outcome; more: there was more to do right away.',
    labels: { loop: { most: loopsMost }, outcome: ['more', 'idle', 'failed'] },
  },
  pelago_work_round_seconds: {
    kind: 'histogram',
    help: 'How long a round took.',
    labels: { loop: { most: loopsMost } },
    buckets: [0.001, 0.01, 0.1, 0.5, 1, 5, 15, 60],
  },
  pelago_work_last_round_seconds: {
    kind: 'gauge',
    help: 'When the last round that did not fail ended here, in seconds since 1970 UTC.',
    labels: { loop: { most: loopsMost } },
  },
} as const

/** The same loops, whose rounds are counted. A round is counted where its lease is held. */
export function measuredLoops(ports: { metrics: Metrics; clock: Clock }, loops: readonly Loop[]): Loop[] {
  const { counter, gauge, histogram } = meterOf(ports.metrics, workMetrics)
  return loops.map((loop) => ({
    ...loop,
    async run(fence, signal) {
      const began = ports.clock.now()
      let outcome: 'more' | 'idle' | 'failed' = 'failed'
      try {
        outcome = await loop.run(fence, signal)
        gauge('pelago_work_last_round_seconds', { loop: loop.name }).set(ports.clock.now() / 1000)
        return outcome
      } finally {
        counter('pelago_work_rounds_total', { loop: loop.name, outcome }).add()
        histogram('pelago_work_round_seconds', { loop: loop.name }).observe((ports.clock.now() - began) / 1000)
      }
    },
  }))
}
