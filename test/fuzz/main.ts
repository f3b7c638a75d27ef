/** `npm run fuzz -- --seconds N [--seed N] [--target NAME]`: bent inputs for every parser that meets the wire. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isMainThread, Worker } from 'node:worker_threads'
import { inputMost } from './mutate.ts'
import type { Said, Task } from './worker.ts'

/** Inputs that were found to be interesting, base64, by target. */
export type Corpus = Record<string, string[]>

/** No input of at most 32 KiB takes longer, milliseconds: beside other processes on the machine. */
export const slowMs = 1000
/** The same where disks or somebody else are waited for. */
export const waitMs = 4000
/** So long without a new input means that one does not end. */
const hangMs = 5000
const memoryMiB = 256

export function readCorpus(): Corpus {
  const folder = join(import.meta.dirname, 'corpus')
  if (!existsSync(folder)) return {}
  return Object.fromEntries(
    readdirSync(folder).map((target) => [
      target,
      readdirSync(join(folder, target))
        .sort()
        .map((file) => readFileSync(join(folder, target, file)).toString('base64')),
    ]),
  )
}

type Failure = { input: Buffer; failure: string }

/** Runs one target in a thread of its own, which may hang or run out of memory without taking this one along. */
function fuzz(task: Omit<Task, 'shared'>): Promise<{ inputs: number; failures: Failure[] }> {
  return new Promise((resolve) => {
    const shared = new SharedArrayBuffer(8 + inputMost)
    const counter = new Int32Array(shared, 0, 2)
    const current = () => Buffer.from(new Uint8Array(shared, 8, counter[1])).subarray(0)
    const failures: Failure[] = []
    let inputs = 0
    const worker = new Worker(join(import.meta.dirname, 'worker.ts'), {
      workerData: { ...task, shared } satisfies Task,
      resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
    })
    let [seen, since] = [-1, performance.now()]
    const watch = setInterval(() => {
      if (counter[0] !== seen) [seen, since] = [counter[0] as number, performance.now()]
      else if (seen > 0 && performance.now() - since > hangMs) {
        failures.push({ input: current(), failure: `it does not end within ${hangMs} ms` })
        void worker.terminate()
      }
    }, 200)
    worker.on('message', (said: Said) => {
      if ('inputs' in said) inputs = said.inputs
      else failures.push({ input: Buffer.from(said.input), failure: said.failure })
    })
    worker.on('error', (error: Error) => failures.push({ input: current(), failure: error.stack ?? error.message }))
    worker.on('exit', () => {
      clearInterval(watch)
      resolve({ inputs: inputs || (counter[0] as number), failures })
    })
  })
}

async function main(): Promise<void> {
  const { targets } = await import('./targets.ts')
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      target: { type: 'string' },
    },
  })
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
  const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target)
  if (!(seconds > 0) || !Number.isInteger(seed) || chosen.length === 0) {
    console.error(`--seconds and --seed are numbers; --target is one of ${targets.map(({ name }) => name).join(', ')}.`)
    process.exitCode = 2
    return
  }
  let [passed, failed] = [0, 0]
  for (const { name } of chosen) {
    const untilMs = (seconds * 1000) / chosen.length
    const { inputs, failures } = await fuzz({ target: name, seed, untilMs, corpus: readCorpus() })
    if (failures.length === 0) {
      passed++
      console.log(`${name}: ${inputs} inputs`)
      continue
    }
    failed++
    for (const { input, failure } of failures) {
      const folder = join(import.meta.dirname, 'found', name)
      mkdirSync(folder, { recursive: true })
      const file = join(folder, createHash('sha256').update(input).digest('hex').slice(0, 16))
      writeFileSync(file, input)
      console.log(
        `FAILED ${name}: ${failure.split('\n').slice(0, 4).join('\n')}\n  with the input in ${file}: ${JSON.stringify(input.toString('latin1').slice(0, 200))}`,
      )
    }
    console.log(
      `Again: npm run fuzz -- --seed ${seed} --target ${name}. When it is mended, move the input to test/fuzz/corpus/${name}/.`,
    )
  }
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}

if (isMainThread && process.argv[1] === import.meta.filename) await main()
