import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Target } from '../client.ts'
import { measureCodes } from './codes.ts'
import { comparesPacking, deadProvider, type House, makeBucket, openHouse, slowProvider } from './houses.ts'
import { openLoad } from './load.ts'
import { type Bench, measureCell, type Variant } from './measure.ts'
import type { Options } from './options.ts'
import { shortRate } from './page.ts'
import { type Cell, gib, houseOf, mib, nameOf } from './plan.ts'
import { machineCpu, peakMemoryOf, startHelper } from './processes.ts'
import type { Relay, Way } from './relay.ts'
import { median, type Memory, type Results } from './results.ts'
import { othersShare } from './verdicts.ts'

const slower = 10
/** A federation that was given this many bytes is replaced by an empty one: what it deletes stays in its trash. */
const houseBytesMost = 12 * gib
const [lookMs, busyMost] = [500, 0.1]
/** Answers shorter than this say nothing about how quickly bytes come. */
const bodyLeast = 32 * 1024

/**
 * Measures all loads that the options ask for.
 * @param say tells how far it is
 * @param stop when aborted, ends after the round and throws
 */
export async function runS3(options: Options, say: (line: string) => void, stop: AbortSignal): Promise<Results> {
  const closers: (() => unknown)[] = []
  const results: Results = {
    at: new Date().toISOString(),
    kernel: [],
    samples: [],
    memory: [],
    roundTrips: {},
    broken: [],
    notes: [],
  }
  try {
    const kernel = startHelper('kernel-line.ts')
    closers.push(kernel.close)
    const bareServer = startHelper('raw-server.ts')
    closers.push(bareServer.close)
    const port = (await bareServer.ask()) as number
    const bare = aside('bare', { name: 'bare', endpoint: `http://127.0.0.1:${port}`, region: 'none' }, [bareServer.pid])
    const peer = await openPeer(options, results.notes)
    const load = openLoad()
    closers.push(load.close)
    const bench: Bench = {
      load,
      seed: randomBytes(32).toString('hex'),
      rounds: options.rounds,
      seconds: options.seconds,
      written: new Map(),
      dropCaches,
      async beforeRound(cell) {
        stop.throwIfAborted()
        await quiet(options.patience)
        if (cell.verb !== 'PUT' || cell.size < 64 * mib || cell.wan) return
        results.kernel.push((await kernel.ask('measure')) as number)
      },
    }
    const canDrop = !options.cells.some(({ cold }) => cold) || mayDropCaches(results.notes)
    const cells = options.cells.filter(({ cold }) => canDrop || !cold)
    let house: House | undefined
    const leave = async () => {
      const left = house
      house = undefined
      if (!left) return
      keepMost(results.memory, await left.close())
      for (const id of bench.written.keys())
        if (left.endpoints.some((one) => id.startsWith(one))) bench.written.delete(id)
    }
    closers.push(leave)
    for (const cell of cells) {
      if (house && (house.kind !== houseOf(cell) || load.wrote() > houseBytesMost)) await leave()
      try {
        if (!house) {
          house = await openHouse(houseOf(cell), options)
          Object.assign(results.roundTrips, house.roundTrips)
          load.forget()
        }
        const began = performance.now()
        const samples = await measureCell(bench, cell, await variantsOf(cell, house, bare, peer, bench))
        results.samples.push(...samples)
        const rates = samples.map(({ variant, rounds }) => `${variant} ${shortRate(cell, rounds)}`)
        const [took, others] = [(performance.now() - began) / 1000, 100 * othersShare({ samples })]
        say(`${nameOf(cell)}: ${rates.join(', ')}  (${took.toFixed(0)} s, others ${others.toFixed(0)} %)`)
      } catch (error) {
        // One load that cannot be measured is a failure of the run, but no reason to lose the others.
        stop.throwIfAborted()
        results.broken.push(`${nameOf(cell)}: ${error instanceof Error ? error.message : String(error)}`)
        say(`NOT MEASURED ${results.broken.at(-1)}`)
        await leave()
      }
    }
    await leave()
    keepMost(results.memory, [{ kind: 'load process', bytes: peakMemoryOf(load.pid) ?? 0 }])
    if (peer)
      keepMost(results.memory, [
        { kind: 'peer, largest', bytes: Math.max(0, ...peer.pids().map((pid) => peakMemoryOf(pid) ?? 0)) },
      ])
    if (options.ronomon) results.codes = await measureCodes(options.rounds, say)
    return results
  } finally {
    for (let closer = closers.pop(); closer; closer = closers.pop()) {
      try {
        await closer()
      } catch (error) {
        say(`Something could not be ended: ${String(error)}`)
      }
    }
  }
}

/** Waits until the machine has little else to do, but not for ever. */
async function quiet(seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000
  while (performance.now() < until) {
    const before = machineCpu()
    await sleep(lookMs)
    if (machineCpu() - before < busyMost * lookMs * cpus().length) return
  }
}

function aside(name: Variant['name'], target: Target, pids: number[]): Variant {
  return { name, target, pids: () => pids, relay: undefined }
}

async function variantsOf(
  cell: Cell,
  house: House,
  bare: Variant,
  peer: Variant | undefined,
  bench: Bench,
): Promise<Variant[]> {
  const { main, unpacked } = house
  const pids = () => main.processes().map(({ pid }) => pid)
  const own: Variant = { name: 'pelago', target: main.target, pids, relay: main.relay }
  if (cell.wan) return [own]
  if (cell.state === 'dead') {
    const enter = () => main.kill(deadProvider)
    return [own, { ...own, name: 'faulty', enter, leave: () => main.revive(deadProvider) }]
  }
  if (cell.state === 'slow') {
    const relay = main.relay as Relay
    const way = await slowWay(cell, own, relay, bench)
    return [
      own,
      { ...own, name: 'faulty', enter: () => relay.set(slowProvider, way), leave: () => relay.set(slowProvider, {}) },
    ]
  }
  const variants = [own]
  if (unpacked && comparesPacking(cell)) {
    variants.push(
      aside(
        'unpacked',
        unpacked.target,
        unpacked.processes().map(({ pid }) => pid),
      ),
    )
  }
  if (!cell.cold && cell.size < gib && cell.verb !== 'LIST' && cell.verb !== 'MIXED') variants.push(bare)
  if (peer && cell.size < gib) variants.push(peer)
  return variants
}

/** A tenth of the speed that this provider has under this very load: its first byte comes ten times as late, the others ten times as slowly. */
async function slowWay(cell: Cell, own: Variant, relay: Relay, bench: Bench): Promise<Way> {
  const rounds = { ...bench, rounds: 1, beforeRound: async () => {} }
  await relay.take()
  await measureCell({ ...rounds, seconds: Math.min(1, bench.seconds) }, { ...cell, state: 'healthy' }, [
    { ...own, relay: undefined },
  ])
  const { exchanges } = (await relay.take())[slowProvider] ?? { exchanges: [] }
  const bodies = exchanges.filter(({ bytes }) => bytes >= bodyLeast)
  const like = bodies.length > 0 ? bodies : exchanges
  if (like.length === 0) throw new Error(`nothing went to ${slowProvider}, so it cannot be made slower`)
  const firstMs = median(like.map((one) => one.firstMs))
  // Where all of a body comes at once its rate is that of the whole answer.
  const rate = median(like.map(({ bytes, restMs, firstMs }) => bytes / ((restMs > 0.05 ? restMs : firstMs) / 1000)))
  return { slow: { firstMs: firstMs * (slower - 1), bytesPerSecond: rate / slower } }
}

async function openPeer({ peer }: Options, notes: string[]): Promise<Variant | undefined> {
  if (!peer) return undefined
  const target = { name: 'peer', endpoint: peer.endpoint, key: peer.key, region: 'us-east-1' }
  await makeBucket(target)
  const pids = Array.isArray(peer.pids) ? peer.pids : pidsIn(peer.pids.folder)
  if (pids.length === 0)
    notes.push('CPU and memory of the peer were not measured: name its processes with --peer-pids or --peer-run.')
  return aside('peer', target, pids)
}

function pidsIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.pid'))
      .map((name) => Number(readFileSync(join(folder, name), 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Of a kind that was there more than once, the one that held most counts. */
function keepMost(memory: Memory[], more: Memory[]): void {
  for (const { kind, bytes } of more) {
    const known = memory.find((one) => one.kind === kind)
    if (known) known.bytes = Math.max(known.bytes, bytes)
    else if (bytes > 0) memory.push({ kind, bytes })
  }
}

function dropCaches(): void {
  spawnSync('sync')
  writeFileSync('/proc/sys/vm/drop_caches', '3')
}

function mayDropCaches(notes: string[]): boolean {
  try {
    dropCaches()
    return true
  } catch (error) {
    notes.push(
      `Cold reads were SKIPPED: the page cache cannot be dropped here (${(error as Error).message}); it takes root.`,
    )
    return false
  }
}
