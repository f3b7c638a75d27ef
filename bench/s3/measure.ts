/** Measures one load: rounds of all variants in turn, so that a noisy machine is noisy for all of them. */
import { cpus } from 'node:os'
import type { Target } from '../client.ts'
import type { Job, JobResult } from './job.ts'
import type { Load } from './load.ts'
import { type Cell, gib, kib, mib } from './plan.ts'
import { cpuOf, cpuOfAll, machineCpu } from './processes.ts'
import type { Relay } from './relay.ts'
import { quantile, type Round, type Sample, type VariantName } from './results.ts'

export type Variant = {
  name: VariantName
  target: Target
  /** Processes whose CPU is the price of the load; asked anew each time, because some are killed. */
  pids(): number[]
  /** Passes bytes on and is in nobody's price. */
  relay: Relay | undefined
  /** Brings the fault, and takes it away. */
  enter?: () => Promise<void>
  leave?: () => Promise<void>
}

export type Bench = {
  load: Load
  seed: string
  rounds: number
  seconds: number
  /** `endpoint prefix` of objects that were written already. */
  written: Map<string, number>
  dropCaches(): void
  /** Called once per round. */
  beforeRound(cell: Cell): Promise<void>
}

/** What a warm-up lasts at least, so that compilers have done their work and the rate is known (ms). */
const warmMs = 300
const requestsMost = 20_000
const bytesMost = 1.5 * gib
const coldBytesMost = 0.5 * gib
const readBack = 4
const failuresKept = 5

type Taken = { rounds: Round[]; latencies: Float64Array[]; failures: string[]; compared: number; count: number }

export async function measureCell(given: Bench, cell: Cell, variants: Variant[]): Promise<Sample[]> {
  // Once is enough for an object that takes half a minute.
  const bench = cell.size >= gib ? { ...given, rounds: 1 } : given
  const taken = new Map<Variant, Taken>()
  const changing = variants.some(({ enter }) => enter !== undefined)
  for (const variant of variants) {
    if (reads(cell)) await write(bench, cell, variant, prefixOf(cell), keysFor(cell.size))
    const count = cell.cold ? coldCount(cell) : await inState(variant, () => warmUp(bench, cell, variant))
    taken.set(variant, { rounds: [], latencies: [], failures: [], compared: 0, count })
    for (let round = 0; cell.cold && round < bench.rounds; round++) {
      await write(bench, cell, variant, `cold/${round}/${prefixOf(cell)}/${cell.verb}${cell.atOnce}`, count)
    }
  }
  for (let round = 0; round < bench.rounds; round++) {
    await bench.beforeRound(cell)
    for (const variant of variants) {
      const own = taken.get(variant) as Taken
      await inState(variant, async () => {
        // Whoever has just lost or found a provider needs a moment to know.
        if (changing) await warmUp(bench, cell, variant)
        const { round: measured, result, job } = await measureRound(bench, cell, variant, own.count, round)
        own.rounds.push(measured)
        own.latencies.push(result.latencies)
        own.failures.push(...result.failures)
        if (round < bench.rounds - 1) return
        const { wrong, compared } = await compare(bench, job, variant)
        own.failures.push(...wrong)
        own.compared += compared
      })
    }
  }
  return [...taken].map(([{ name }, { rounds, latencies, failures, compared }]) => {
    const all = new Float64Array(latencies.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of latencies) {
      all.set(part, at)
      at += part.length
    }
    const [p50Ms, p99Ms, maxMs] = [quantile(all, 0.5), quantile(all, 0.99), quantile(all, 1)]
    return { cell, variant: name, rounds, p50Ms, p99Ms, maxMs, compared, failures: failures.slice(0, failuresKept) }
  })
}

async function inState<T>(variant: Variant, act: () => Promise<T>): Promise<T> {
  await variant.enter?.()
  try {
    return await act()
  } finally {
    await variant.leave?.()
  }
}

const reads = ({ verb }: Cell) => verb !== 'PUT'
const prefixOf = ({ size }: Cell) => `read/${size}`

function keysFor(size: number): number {
  if (size >= gib) return 1
  if (size >= 64 * mib) return 6
  if (size >= 8 * mib) return 24
  return size >= mib ? 128 : 2048
}

function coldCount({ size, atOnce }: Cell): number {
  return Math.max(2 * atOnce, Math.min(size >= mib ? 256 : 512, Math.floor(coldBytesMost / size)))
}

function jobOf(bench: Bench, cell: Cell, { name, target }: Variant, change: Partial<Job>): Job {
  const bare = name === 'bare'
  return {
    target,
    bucket: bare ? `bytes/${cell.size}` : 'bench',
    seed: bench.seed,
    verb: cell.verb,
    size: cell.size,
    count: 1,
    atOnce: cell.atOnce,
    readFrom: prefixOf(cell),
    keys: keysFor(cell.size),
    writeTo: '',
    compare: false,
    ...change,
  }
}

/** Writes objects that are to be read, once for all loads that read them. */
async function write(bench: Bench, cell: Cell, variant: Variant, prefix: string, count: number): Promise<void> {
  const id = `${variant.target.endpoint} ${prefix}`
  if (variant.name === 'bare' || (bench.written.get(id) ?? 0) >= count) return
  const atOnce = cell.size >= 8 * mib ? 2 : cell.size >= mib ? 8 : 64
  const job = jobOf(bench, cell, variant, { verb: 'PUT', count, atOnce, writeTo: prefix })
  const { failed, failures } = await bench.load.run(job)
  if (failed > 0)
    throw new Error(`${failed} objects to be read could not be written to ${variant.name}: ${failures[0]}`)
  bench.written.set(id, count)
}

let warmed = 0

/** @returns how many requests a round of this variant needs to last as long as it should */
async function warmUp(bench: Bench, cell: Cell, variant: Variant): Promise<number> {
  const most = Math.min(requestsMost, Math.max(cell.atOnce, Math.floor(bytesMost / cell.size)))
  let count = Math.min(most, Math.max(2, cell.atOnce * 2))
  if (cell.size >= gib) return 1
  for (;;) {
    const job = jobOf(bench, cell, variant, { count, writeTo: `warm/${warmed++}` })
    const { ms, failed, failures } = await bench.load.run(job)
    if (failed === count) throw new Error(`nothing but failures from ${variant.name}: ${failures[0]}`)
    if (ms >= warmMs || count >= most) {
      return Math.round(Math.min(most, Math.max(cell.atOnce * 2, (count / ms) * bench.seconds * 1000)))
    }
    count = Math.min(most, Math.ceil(count * Math.min(8, (1.3 * warmMs) / ms + 1)))
  }
}

type Measured = { round: Round; result: JobResult; job: Job }

async function measureRound(
  bench: Bench,
  cell: Cell,
  variant: Variant,
  count: number,
  round: number,
): Promise<Measured> {
  const place = `${cell.verb}${cell.atOnce}${cell.state}/${variant.name}/${round}`
  const job = jobOf(bench, cell, variant, { count, writeTo: `put/${cell.size}/${place}` })
  if (cell.cold) {
    job.readFrom = `cold/${round}/${prefixOf(cell)}/${cell.verb}${cell.atOnce}`
    job.keys = count
    bench.dropCaches()
  }
  await variant.relay?.take()
  const relayPid = variant.relay?.pid
  const pids = variant.pids()
  const now = () => ({
    servers: cpuOfAll(pids),
    relay: relayPid === undefined ? 0 : (cpuOf(relayPid) ?? 0),
    machine: machineCpu(),
    own: process.cpuUsage(),
  })
  let before = now()
  let after = before
  const result = await bench.load.run(job, (moment) => {
    if (moment === 'before') before = now()
    else after = now()
  })
  const seconds = result.ms / 1000
  const cpuMs = before.servers === undefined || after.servers === undefined ? undefined : after.servers - before.servers
  const relayCpuMs = after.relay - before.relay
  const own = (after.own.user + after.own.system - before.own.user - before.own.system) / 1000
  const others = after.machine - before.machine - (cpuMs ?? 0) - relayCpuMs - result.cpuMs - own
  const links = variant.relay && cell.wan ? await variant.relay.take() : undefined
  return {
    job,
    result,
    round: {
      requests: count,
      failed: result.failed,
      seconds,
      bytes: result.bytes,
      p50Ms: quantile(result.latencies, 0.5),
      p99Ms: quantile(result.latencies, 0.99),
      cpuMs,
      loadCpuMs: result.cpuMs,
      othersShare: Math.max(0, others / (result.ms * cpus().length)),
      ...(links && {
        links: Object.fromEntries(Object.entries(links).map(([name, { upBytes }]) => [name, upBytes])),
        relayCpuMs,
      }),
    },
  }
}

/** Reads some objects of a round back and compares every byte. */
async function compare(bench: Bench, job: Job, { name }: Variant): Promise<{ wrong: string[]; compared: number }> {
  if (name === 'bare' || job.verb === 'HEAD' || job.verb === 'LIST') return { wrong: [], compared: 0 }
  const wrote = job.verb === 'PUT'
  const known = wrote ? job.count : job.keys
  const keys = Math.min(known, job.size >= 64 * mib ? 1 : readBack)
  const readFrom = wrote ? job.writeTo : job.readFrom
  const verb = job.verb === 'RANGE' ? 'RANGE' : 'GET'
  const again: Job = { ...job, verb, readFrom, keys, count: keys, atOnce: 1, compare: true }
  const { failures } = await bench.load.run(again)
  return { wrong: failures.map((failure) => `read back: ${failure}`), compared: keys - failures.length }
}

/** Small answers are counted in requests, large ones in bytes. */
export const countsRequests = ({ verb, size }: Cell) => verb === 'HEAD' || verb === 'LIST' || size < 64 * kib
