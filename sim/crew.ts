import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Verdict } from './run-seed.ts'

/** Longest real time of one seed; a life that goes round in circles is cut off. */
const seedMs = 120_000

/**
 * Runs seeds in as many processes as there are processors.
 * @param mutant runs with this bug planted
 * @param stopAtFirst ends everything at the first failure
 */
export async function runSeeds(
  seeds: readonly number[],
  options: { mutant?: string; stopAtFirst: boolean; onVerdict?: (verdict: Verdict) => void },
): Promise<Verdict[]> {
  const rest = [...seeds]
  const verdicts: Verdict[] = []
  let stopped = false
  const lane = async () => {
    while (rest.length > 0 && !stopped) {
      await runOne(rest, options.mutant, (verdict) => {
        verdicts.push(verdict)
        options.onVerdict?.(verdict)
        if (verdict.failure !== undefined && options.stopAtFirst) stopped = true
        return !stopped
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), seeds.length) }, lane))
  return verdicts
}

/** One process takes seeds off the list until it is empty, it fails, or nobody wants more. */
function runOne(rest: number[], mutant: string | undefined, take: (verdict: Verdict) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const here = import.meta.dirname
    const child = fork(join(here, 'worker.ts'), {
      execArgv: [
        '--disable-warning=ExperimentalWarning',
        ...(mutant === undefined ? [] : ['--import', join(here, 'plant.ts')]),
      ],
      env: { ...process.env, ...(mutant !== undefined && { PELAGO_SIM_MUTANT: mutant }) },
      stdio: ['ignore', 'ignore', mutant === undefined ? 'inherit' : 'pipe', 'ipc'],
    })
    let complaint = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint += chunk.toString().slice(0, 4000)
    })
    let current: number | undefined
    let timer: NodeJS.Timeout | undefined
    const next = () => {
      current = rest.shift()
      if (current === undefined) return end()
      timer = setTimeout(() => {
        take({ seed: current as number, failure: `not done after ${seedMs} ms of real time` })
        current = undefined
        end()
      }, seedMs)
      child.send(current)
    }
    const end = () => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      resolve()
    }
    child.on('message', (verdict: Verdict) => {
      clearTimeout(timer)
      const seed = current ?? verdict.seed
      current = undefined
      if (take({ ...verdict, seed }) && verdict.seed === seed) next()
      else end()
    })
    child.on('exit', () => {
      clearTimeout(timer)
      if (current !== undefined) take({ seed: current, failure: `the process ended: ${complaint}` })
      current = undefined
      resolve()
    })
    next()
  })
}
