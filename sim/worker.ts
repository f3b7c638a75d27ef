/** One process of the simulator: is sent seeds, answers verdicts. */
import { runDeadSets } from './dead-sets.ts'
import { runSeed, type Verdict } from './run-seed.ts'
import { runSlowProvider } from './slow-provider.ts'

/** Zero is no seed: it stands for every set of dead providers, and for a slow one. */
const verdictOf = async (seed: number): Promise<Verdict> => {
  if (seed !== 0) return runSeed(seed)
  const failed = (await runDeadSets()).find(({ failure }) => failure !== undefined)
  const failure = failed ? `${failed.name}: ${failed.failure}` : (await runSlowProvider(1))[0]
  return { seed, ...(failure !== undefined && { failure }) }
}

process.on('message', (seed: number) => {
  verdictOf(seed).then(
    (verdict) => process.send?.(verdict),
    (error: unknown) => process.send?.({ seed, failure: String(error) }),
  )
})
process.on('unhandledRejection', (error) => {
  process.send?.({
    seed: -1,
    failure: `an error that nobody caught: ${error instanceof Error ? error.stack : String(error)}`,
  })
})
process.on('disconnect', () => process.exit(0))
