import type { Cell } from './plan.ts'

/** One round of one variant. */
export type Round = {
  requests: number
  failed: number
  seconds: number
  /** Of bodies. */
  bytes: number
  p50Ms: number
  p99Ms: number
  /** CPU of the servers that were measured; undefined where the machine does not say. */
  cpuMs: number | undefined
  loadCpuMs: number
  /** Share of all processors that neither the bench nor what it measures used. */
  othersShare: number
  /** Bytes that went to each provider over its link, and what the relay used for it; only over a WAN. */
  links?: Record<string, number>
  relayCpuMs?: number
}

/** `pelago` is the build itself, `faulty` the same with the cell's fault, `bare` node:http alone. */
export type VariantName = 'pelago' | 'faulty' | 'unpacked' | 'bare' | 'peer'

export type Sample = {
  cell: Cell
  variant: VariantName
  rounds: Round[]
  /** Over the requests of all rounds. */
  p50Ms: number
  p99Ms: number
  maxMs: number
  /** Objects that were read back and compared. */
  compared: number
  /** Failed requests and wrong bytes in words, the first few. */
  failures: string[]
}

/** The most memory that any process of a kind held. */
export type Memory = { kind: string; bytes: number }

export type Results = {
  at: string
  /** Bytes of plaintext per CPU second of one thread, once per round. */
  kernel: number[]
  /** Bytes of data per CPU second: the product's code and @ronomon/reed-solomon, alternating. */
  codes?: { own: number[]; ronomon: number[] }
  samples: Sample[]
  /** Of each kind of process, over the whole run. */
  memory: Memory[]
  /** Measured round trip of each link (ms). */
  roundTrips: Record<string, number>
  /** Loads that could not be measured, and why. */
  broken: string[]
  /** What was not measured, and why; what a reader has to know. */
  notes: string[]
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[half] as number) : ((sorted[half - 1] ?? NaN) + (sorted[half] ?? NaN)) / 2
}

/** The smallest value that this share of all values does not exceed. */
export function quantile(values: Float64Array, share: number): number {
  const sorted = values.toSorted()
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

export const requestRate = ({ requests, failed, seconds }: Round) => (requests - failed) / seconds
export const byteRate = ({ bytes, seconds }: Round) => bytes / seconds
