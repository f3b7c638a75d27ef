/** Feeds one target after the other with mutated inputs. What it is about to try stands in shared memory, in case it never comes back. */
import { parentPort, workerData } from 'node:worker_threads'
import { inputMost, mutate, openDice } from './mutate.ts'
import { type Corpus, slowMs, waitMs } from './main.ts'
import { targets } from './targets.ts'

export type Task = { target: string; seed: number; untilMs: number; corpus: Corpus; shared: SharedArrayBuffer }
export type Said = { target: string; input: Buffer; failure: string } | { target: string; inputs: number }

const { target: name, seed, untilMs, corpus, shared } = workerData as Task
const counter = new Int32Array(shared, 0, 2)
const place = new Uint8Array(shared, 8)
const target = targets.find((one) => one.name === name)
if (!target) throw new Error(`there is no target ${name}`)

let unhandled: unknown
process.on('unhandledRejection', (error) => {
  unhandled = error
})
const say = (said: Said) => parentPort?.postMessage(said, [])
const dice = openDice(seed)
const seeds = [
  ...target.seeds.map((text) => Buffer.from(text, 'latin1')),
  ...(corpus[name] ?? []).map((text) => Buffer.from(text, 'base64')),
]

/** @returns whether it held */
async function tryOne(input: Buffer): Promise<boolean> {
  const short = input.subarray(0, inputMost)
  place.set(short)
  counter[1] = short.length
  Atomics.add(counter, 0, 1)
  const began = performance.now()
  try {
    await target?.run(short)
    if (unhandled) throw unhandled
    if (performance.now() - began > (target?.slow ? waitMs : slowMs))
      throw new Error(`it took ${Math.round(performance.now() - began)} ms`)
    return true
  } catch (error) {
    unhandled = undefined
    say({
      target: name,
      input: short,
      failure: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
    return false
  }
}

const until = performance.now() + untilMs
let inputs = 0
let failures = 0
/** Heap is bounded by whoever started this thread; buffers lie outside of it. */
const buffersMost = 512 * 1024 * 1024
for (const input of seeds) {
  inputs++
  if (!(await tryOne(input))) failures++
}
while (performance.now() < until && failures < 5) {
  inputs++
  if (!(await tryOne(mutate(dice, seeds, target.words)))) failures++
  // What was thrown where nobody waited is seen between two inputs.
  if (inputs % 64 === 0) await new Promise<void>((resolve) => void setImmediate(resolve))
  if (inputs % 64 === 0 && process.memoryUsage().arrayBuffers > buffersMost) {
    say({ target: name, input: Buffer.alloc(0), failure: `it holds more than ${buffersMost} bytes in buffers` })
    failures++
  }
}
say({ target: name, inputs })
await target.close?.()
