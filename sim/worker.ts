/** One process of the simulator: is sent seeds, answers verdicts. */
import { runSeed } from './run-seed.ts'

process.on('message', (seed: number) => {
  runSeed(seed).then(
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
