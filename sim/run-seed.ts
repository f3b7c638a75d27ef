import { runScenario } from './scenario.ts'

export type Verdict = { seed: number; failure?: string; tail?: string[] }

/** Runs a seed twice: it must hold, and be the same both times, or it could not be looked into. */
export async function runSeed(seed: number): Promise<Verdict> {
  const first = await runScenario(seed)
  if (first.failure !== undefined) return { seed, failure: first.failure, ...(first.tail && { tail: first.tail }) }
  const second = await runScenario(seed)
  if (second.fingerprint === first.fingerprint && second.failure === undefined) return { seed }
  return { seed, failure: `two runs of the same seed differ: ${second.failure ?? 'their traces do'}` }
}
