/** The federations that loads are measured in, one after the other, and what may stand beside them. */
import { openBenchClient, type Target } from '../client.ts'
import { type Federation, providerNames, startFederation } from './federation.ts'
import { openLane } from './lane.ts'
import type { Options } from './options.ts'
import { type Cell, houseOf, mib } from './plan.ts'
import { peakMemoryOf } from './processes.ts'
import type { Way } from './relay.ts'
import type { Memory } from './results.ts'

export const deadProvider = 'loire'
export const slowProvider = 'vecht'
/** Up to this size objects share packs unless a gateway is told otherwise. */
const packedMost = mib
const pings = 21

export type House = {
  kind: 0 | 1 | 2
  main: Federation
  /** The same build that writes every object for itself. */
  unpacked: Federation | undefined
  endpoints: string[]
  /** Measured round trip of each link (ms); only over a WAN. */
  roundTrips: Record<string, number>
  /** Ends it. @returns the most memory of each kind of process */
  close(): Promise<Memory[]>
}

export async function openHouse(kind: House['kind'], options: Options): Promise<House> {
  const small = options.cells.some((cell) => houseOf(cell) === kind && comparesPacking(cell))
  const relayed = kind === 0 ? [] : kind === 1 ? [slowProvider] : providerNames
  const main = await startFederation({ name: 'pelago', relayed })
  let unpacked: Federation | undefined
  try {
    if (small) unpacked = await startFederation({ name: 'unpacked', relayed: [], packBytes: 0 })
    for (const { target } of [main, ...(unpacked ? [unpacked] : [])]) await makeBucket(target)
    const roundTrips: Record<string, number> = {}
    if (kind === 2) {
      for (const [name, way] of Object.entries(linksOf(options))) await main.relay?.set(name, way)
      for (const { name, listen } of main.links) roundTrips[name] = await roundTripOf(listen)
    }
    return {
      kind,
      main,
      unpacked,
      endpoints: [main, ...(unpacked ? [unpacked] : [])].map(({ target }) => target.endpoint),
      roundTrips,
      async close() {
        const memory = memoryOf(main)
        await main.close()
        await unpacked?.close()
        return memory
      },
    }
  } catch (error) {
    await main.close()
    await unpacked?.close()
    throw error
  }
}

export async function makeBucket(target: Target): Promise<void> {
  const client = openBenchClient(target)
  try {
    await client.createBucket()
  } finally {
    client.close()
  }
}

export const comparesPacking = ({ verb, size, state, wan, cold }: Cell) =>
  (verb === 'PUT' || verb === 'GET') && size <= packedMost && state === 'healthy' && !wan && !cold

/** Round trips are spread evenly over the six providers that may hold shards; the one that may not is in the middle. */
export function linksOf({ link }: Pick<Options, 'link'>): Record<string, Way> {
  const { leastMs, mostMs, bytesPerSecond } = link
  const step = (mostMs - leastMs) / (providerNames.length - 2)
  return Object.fromEntries(
    providerNames.map((name, at) => {
      const roundTripMs = at === providerNames.length - 1 ? (leastMs + mostMs) / 2 : leastMs + at * step
      return [name, { roundTripMs, bytesPerSecond }]
    }),
  )
}

/** What the smallest question and answer take over a link: its round trip as timers and processors really give it. */
async function roundTripOf(port: number): Promise<number> {
  const lane = openLane('127.0.0.1', port)
  const head = Buffer.from('GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n')
  const took: number[] = []
  try {
    for (let turn = 0; turn <= pings; turn++) {
      const began = performance.now()
      await lane.send({ head, bodiless: false })
      // The first one opens the connection as well.
      if (turn > 0) took.push(performance.now() - began)
    }
  } finally {
    lane.close()
  }
  return took.sort((a, b) => a - b)[took.length >> 1] as number
}

export function memoryOf(federation: Federation): Memory[] {
  const most = new Map<string, number>()
  for (const { role, pid } of federation.processes()) {
    most.set(role, Math.max(most.get(role) ?? 0, peakMemoryOf(pid) ?? 0))
  }
  return [...most].map(([kind, bytes]) => ({ kind, bytes }))
}
