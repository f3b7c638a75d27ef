/**
 * `node bench/slow-provider.ts [--rounds N] [--times 10]`: what one provider that is slow, or killed, costs reads of 1 MiB
 * objects. Rounds with all healthy and rounds with one in trouble take turns; all processes share the processors.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type ProcessPlan, prepareDemo } from '../src/host/demo-federation.ts'
import { type BenchClient, fresh, openBenchClient } from './client.ts'

const size = 1024 * 1024
const objects = 48
const reads = 250
const troubledId = 'loire'
const root = join(import.meta.dirname, '..')

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '4' }, times: { type: 'string', default: '10' } },
})
const folder = mkdtempSync(join(tmpdir(), 'pelago-slow-'))
const children = new Set<ChildProcess>()
try {
  await compare()
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, maxRetries: 20 })
}

async function compare(): Promise<void> {
  const demo = await prepareDemo(folder, 0)
  const troubled = demo.processes.find(({ name }) => name === troubledId)
  if (!troubled) throw new Error(`there is no provider ${troubledId}`)
  const relay = await relayBefore(troubled)
  let provider: ChildProcess | undefined
  for (const plan of demo.processes) {
    const child = await start(plan)
    if (plan === troubled) provider = child
  }
  const key = { id: demo.access.id, secret: demo.access.secret }
  const client = openBenchClient({
    name: 'pelago',
    endpoint: `http://127.0.0.1:${demo.ports.s3}`,
    key,
    region: demo.region,
  })
  await client.createBucket()
  const body = fresh(size)
  for (let at = 0; at < objects; at++) await client.put(`${at}`, body)
  await round(client, 1)
  relay.send('latency')
  const [latency] = (await once(relay, 'message')) as [number]
  const delay = latency * (Number(values.times) - 1)
  console.log(
    `an answer begins after ${latency.toFixed(2)} ms; the slow one is held back by ${delay.toFixed(1)} ms more`,
  )

  for (const lanes of [1, 4]) {
    const taken = { healthy: [] as number[], slow: [] as number[] }
    for (let turn = 0; turn < Number(values.rounds); turn++) {
      relay.send(0)
      // As long as it takes to be trusted again.
      await sleep(6000)
      await round(client, lanes, 60)
      taken.healthy.push(...(await round(client, lanes)).times)
      relay.send(delay)
      taken.slow.push(...(await round(client, lanes)).times)
    }
    relay.send(0)
    report(`${lanes} at once, one ${values.times} times slower`, taken.healthy, taken.slow)
  }

  for (const lanes of [1, 8]) {
    const rates = { healthy: [] as number[], killed: [] as number[] }
    for (let turn = 0; turn < Number(values.rounds); turn++) {
      await sleep(3000)
      await round(client, lanes, 60)
      rates.healthy.push((await round(client, lanes)).rate)
      provider?.kill('SIGKILL')
      rates.killed.push((await round(client, lanes)).rate)
      provider = await start(troubled)
    }
    const [healthy, killed] = [median(rates.healthy), median(rates.killed)]
    console.log(
      `${lanes} at once, one killed: ${healthy.toFixed(0)} and ${killed.toFixed(0)} MB/s, ratio ${(killed / healthy).toFixed(2)}`,
    )
  }
  client.close()
}

/** Puts a relay on the port that the directory names, and the provider behind it. */
async function relayBefore(plan: ProcessPlan): Promise<ChildProcess> {
  const config = JSON.parse(readFileSync(plan.config, 'utf8')) as { shards: { port: number } }
  const [from, to] = [config.shards.port, await anyPort()]
  config.shards.port = to
  writeFileSync(plan.config, JSON.stringify(config))
  const child = fork(join(import.meta.dirname, 'relay.ts'), [`${from}`, `${to}`])
  children.add(child)
  await once(child, 'message')
  return child
}

async function anyPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

async function start({ name, config }: ProcessPlan): Promise<ChildProcess> {
  const words = ['run', '--config', config, '--log', join(folder, `${name}.log`)]
  const child = fork(join(root, 'bin', 'pelago.ts'), words, { execArgv: ['--disable-warning=ExperimentalWarning'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  const [said] = (await once(child, 'message')) as [{ ready?: boolean; failed?: string }]
  if (!said.ready) throw new Error(`${name}: ${said.failed}`)
  return child
}

async function round(client: BenchClient, lanes: number, count = reads): Promise<{ times: number[]; rate: number }> {
  const times: number[] = []
  let next = 0
  const began = performance.now()
  const lane = async () => {
    while (next < count) {
      const at = next++
      const asked = performance.now()
      const { bytes } = await client.get(`${at % objects}`, false)
      if (bytes !== size) throw new Error(`${bytes} of ${size} bytes came`)
      times.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return { times, rate: (count * size) / 1000 / (performance.now() - began) }
}

function report(what: string, healthy: number[], troubled: number[]): void {
  const at = (times: number[], share: number) => times.sort((a, b) => a - b)[Math.floor(times.length * share)] as number
  const pair = (share: number) => [at(healthy, share), at(troubled, share)] as const
  const says = (share: number) => {
    const [one, other] = pair(share)
    return `${one.toFixed(1)} and ${other.toFixed(1)} ms, ratio ${(other / one).toFixed(2)}`
  }
  console.log(`${what}: p50 ${says(0.5)}; p90 ${says(0.9)}; p99 ${says(0.99)}`)
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
