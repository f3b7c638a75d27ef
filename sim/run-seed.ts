import { runDirectories } from './directories.ts'
import { runJobs } from './jobs.ts'
import { type Outcome, runScenario } from './scenario.ts'
import { runStanding } from './standing.ts'

export type Verdict = { seed: number; failure?: string; tail?: string[] }

/** Runs a seed's lives, each twice: they must hold, and be the same both times, or they could not be looked into. */
export async function runSeed(seed: number): Promise<Verdict> {
  for (const run of [runJobs, runStanding, ...(seed % 4 === 0 ? [runDirectories] : [])]) {
    const verdict = await runTwice(seed, run)
    if (verdict.failure !== undefined) return verdict
  }
  return runTwice(seed, runScenario)
}

async function runTwice(seed: number, run: (seed: number) => Promise<Outcome>): Promise<Verdict> {
  const first = await run(seed)
  if (first.failure !== undefined) return { seed, failure: first.failure, ...(first.tail && { tail: first.tail }) }
  const second = await run(seed)
  if (second.fingerprint === first.fingerprint && second.failure === undefined) return { seed }
  return { seed, failure: `two runs of the same seed differ: ${second.failure ?? 'their traces do'}` }
}
