import { journalMigrations } from '#journal'
import { type Log, release } from '#kernel'
import { type Directory, demoPool, type Provider } from '#pool'
import {
  type BufferPool,
  indexMigrations,
  keyMigrations,
  type Node,
  openKeyStore,
  openNode,
  openStorage,
  type OpenStorage,
  type KeyLimits,
  type RootKey,
  storageError,
  type StorageLimits,
} from '#storage'
import { startWork, type WorkLimits, workMigrations } from '#work'
import { connectTo, noFaults, type Remote } from './network.ts'
import { openSimDatabase, type SimDatabase } from './ports/database.ts'
import { type MemoryDisk, openMemoryDisk } from './ports/disk.ts'
import { openProcess, type Process } from './process.ts'
import type { World } from './world.ts'

/** A whole federation in one process: providers with disks, an index, a key store, and gateways that share them. */
export type Archipelago = {
  world: World
  providers: Island[]
  index: SimDatabase
  keys: SimDatabase
  root: SimRoot
  limits: StorageLimits
  /** The newest. */
  directory: Directory
  /** What single gateways have instead of it, by their places: they learn of a new one late. */
  known: Map<number, Directory>
  /** The gateways that run now. */
  gateways: readonly Gateway[]
  /** Any one of them. */
  gateway(): Gateway
  /** Ends a gateway at once, wherever it is, and starts another over the same databases. Whoever waits for it is told. */
  restartGateway(at: number): void
  /** Ends a provider's process as a power cut does: what was not synced may be gone. */
  crash(island: Island): void
  /** Starts it again. */
  start(island: Island): Promise<void>
  close(): void
}

export type Island = { provider: Provider; disk: MemoryDisk; remote: Remote }
export type Gateway = {
  storage: OpenStorage
  process: Process
  /** Called when it dies, with whoever waits for it. */
  died: Set<() => void>
}

/** Times and sizes that let a whole life pass in seconds of virtual time. */
export const quickLimits: StorageLimits = {
  segmentBytes: 192 * 1024,
  packBytes: 64 * 1024,
  cacheBytes: 0,
  cachedBytes: 4096,
  writeMemoryBytes: 1024 * 1024,
  memoryWaitMs: 10_000,
  intentMs: 12_000,
  readerGraceMs: 8000,
  writeStallMs: 300,
  attempts: 4,
  hedgeFloorMs: 2,
  hedgeShare: 0.2,
  overdueMs: 200,
  retryMs: 300,
  providerReads: 4,
  providerQueue: 100,
  shardMs: 2000,
  readMemoryBytes: 3 * 1024 * 1024,
  windowRows: 2,
  readAhead: 2,
  probeMs: 400,
  probeLimitMs: 400,
  darkMs: 5000,
  widenMs: 1000,
  recountMs: 1000,
  roundMs: 400,
  repairs: 2,
  keySettleMs: 1000,
  leaseBytes: 50_000,
  leaseObjects: 4,
  leaseMs: 3000,
  strayMs: 6000,
  strayRetryMs: 500,
}

export const quickKeyLimits: KeyLimits = { keptMs: 3000, newestMs: 500, retryMs: 100 }

const quotaBytes = 256 * 1024 * 1024
const purgeMs = 4000

/** The same for jobs: a pause that readers outlive makes a gateway lose its leases. */
export const quickWork: WorkLimits = { atOnce: 4, sliceMs: 200, leaseMs: 1500, lookMs: 300 }

/** @param count how many gateways share the index */
export async function openArchipelago(
  world: World,
  limits: StorageLimits = quickLimits,
  count = 1,
): Promise<Archipelago> {
  const log: Log = (level, event, facts) => world.note(`${level} ${event} ${JSON.stringify(facts ?? {})}`)
  const providers = demoPool.map((facts, at): Island => {
    const provider = {
      ...facts,
      endpoint: `http://${facts.id}.example`,
      publicKey: `${at}`.repeat(64),
      capacityBytes: quotaBytes,
    }
    const disk = openMemoryDisk(world, { delayMs: 2 })
    const remote: Remote = { id: facts.id, node: undefined, incarnation: 0, faults: { ...noFaults }, broken: new Set() }
    return { provider, disk, remote }
  })
  const start = async (island: Island) => {
    const { incarnation } = island.remote
    const disk = island.disk.connect()
    const node: Node = await openNode(
      { disk, clock: world.clock, random: world.random, log },
      {
        provider: island.provider.id,
        quotaBytes,
        trashMs: 14 * 86_400_000,
        reserveBytes: 0,
        // Every third has files only.
        shortBytes: providers.indexOf(island) % 3 === 0 ? 0 : 10_000,
        bundleBytes: 30_000,
      },
    )
    if (island.remote.incarnation !== incarnation) return
    island.remote.node = node
    const purge = () => {
      if (island.remote.incarnation !== incarnation) return
      node.purge().catch((error: unknown) => log('warn', 'trash.unpurged', { reason: String(error) }))
      world.clock.after(purgeMs, purge)
    }
    world.clock.after(purgeMs, purge)
  }
  const crash = (island: Island) => {
    world.note(`${island.provider.id} loses power`)
    island.remote.incarnation++
    island.remote.node = undefined
    island.disk.crash()
    for (const broken of [...island.remote.broken]) broken()
  }
  const schemas = [
    { component: 'index', migrations: indexMigrations },
    { component: 'work', migrations: workMigrations },
    { component: 'journal', migrations: journalMigrations },
  ]
  const index = openSimDatabase('index', world, schemas)
  const root = openSimRoot()
  const keyDatabase = openSimDatabase('keys', world, [{ component: 'keys', migrations: keyMigrations }])
  const directory: Directory = {
    version: 1,
    issuedAt: world.clock.now(),
    expiresAt: world.clock.now() + 1e12,
    providers: providers.map(({ provider }) => provider),
  }
  const byId = new Map(providers.map((island) => [island.provider.id, island]))

  const known = new Map<number, Directory>()
  const startGateway = (at: number): Gateway => {
    const process = openProcess(world.clock)
    const { clock } = process
    const database = index.connect(process)
    const storage = openStorage(
      {
        clock,
        random: world.random,
        offload: world.offload,
        log,
        index: database,
        journal: { nameKey: Buffer.alloc(32, 7) },
        keys: openKeyStore(
          { clock, database: keyDatabase.connect(process), random: world.random, root, log },
          quickKeyLimits,
        ),
        directory: () => known.get(at) ?? directory,
        shards: (id) => connectTo(world, (byId.get(id) as Island).remote, process),
        openBuffers: openUselessBuffers,
      },
      limits,
    )
    startWork({ database, clock, random: world.random, log }, storage.jobs, quickWork)
    const never = new AbortController().signal
    const probe = () => void storage.probe(never).then(() => clock.after(limits.probeMs, probe))
    probe()
    return { storage, process, died: new Set() }
  }

  const starting = providers.map(start)
  let started = false
  void Promise.all(starting).then(() => {
    started = true
  })
  await world.runUntil(() => started, 10_000)
  const gateways = Array.from({ length: count }, (_, at) => startGateway(at))
  return {
    world,
    providers,
    index,
    keys: keyDatabase,
    root,
    limits,
    directory,
    known,
    gateways,
    gateway: () => gateways[count === 1 ? 0 : world.dice(count)] as Gateway,
    restartGateway(at) {
      const old = gateways[at] as Gateway
      world.note(`gateway ${at} dies`)
      old.process.die()
      gateways[at] = startGateway(at)
      for (const tell of old.died) tell()
      old.died.clear()
    },
    crash,
    start,
    close() {
      for (const { process } of gateways) process.die()
      index.close()
      keyDatabase.close()
    },
  }
}

/** Takes memory apart when it is given back, so that whoever still looks at it gets nothing and the seed fails. */
function openUselessBuffers(): BufferPool {
  const take = (length: number) => Buffer.allocUnsafeSlow(length)
  return { take, takeAtLeast: take, give: release }
}

/** What holds the root key: it may be away, and its key may be rotated. Wrapping itself is not what is simulated. */
export type SimRoot = RootKey & { away: boolean; keys: number[] }

export function openSimRoot(): SimRoot {
  const root: SimRoot = {
    away: false,
    keys: [0xff],
    async newest() {
      if (root.away) throw storageError('key.unavailable', { reason: 'a fault' })
      return `r${root.keys[root.keys.length - 1] as number}`
    },
    async wrap(plain) {
      const name = await root.newest()
      const mask = Number(name.slice(1))
      return { root: name, wrapped: plain.map((byte) => byte ^ mask) }
    },
    async unwrap({ root: name, wrapped }) {
      await root.newest()
      const mask = Number(name.slice(1))
      if (!root.keys.includes(mask)) throw storageError('key.root')
      return wrapped.map((byte) => byte ^ mask)
    },
    rewrap: async (from, context) => root.wrap(await root.unwrap(from, context), context),
  }
  return root
}
