import type { Journal } from '#journal'
import {
  type Clock,
  type Database,
  type Log,
  type Metrics,
  noMetrics,
  noSpans,
  type Offload,
  type Random,
  type Row,
  type Spans,
  type Statement,
} from '#kernel'
import type { Directory } from '#pool'
import { type Budget, openBudget } from './budget.ts'
import { type BufferPool, openBufferPool } from './buffer-pool.ts'
import { type Cache, openCache } from './cache.ts'
import { type Coders, openCoders } from './code/coder.ts'
import { type Health, openHealth } from './health.ts'
import { type Hedges, openHedges } from './hedges.ts'
import type { Segment } from './index/segment.ts'
import type { Kits } from './kit/kits.ts'
import type { StorageLimits } from './limits.ts'
import { type StorageMeters, storageMeters } from './metrics.ts'
import type { ShardStore } from './ports.ts'
import { type Leases, openLeases } from './quota/leases.ts'
import { type Lanes, openLanes } from './read/lanes.ts'
import { openPaces, type Paces } from './read/pace.ts'
import type { KeyStore } from './seal/key-store.ts'
import { cellOverhead, fullCellBytes } from './seal/shape.ts'

/** Buffers that are kept for the next request: fresh memory costs more than filling it. */
const keptCells = 192
const keptWindows = 16
/** Packs whose place is remembered, and what keeping a body costs besides its bytes. */
const keptPacks = 20_000
const keptOverhead = 200
const storedCell = fullCellBytes + cellOverhead

/** What storage is handed from outside. */
export type StoragePorts = {
  clock: Clock
  random: Random
  offload: Offload
  log: Log
  /** The object index; needs `indexMigrations`. */
  index: Database
  keys: KeyStore
  /** Says whether buckets may be created; they may without. */
  kits?: Pick<Kits, 'check'>
  /** Hides names in what is stated to the log, which lies in the index. */
  journal: Journal
  /** Forgets what others keep about a bucket, in the transaction that deletes it. */
  forgetBucket?(name: string): Generator<Statement, void, Row[]>
  /** The newest directory of providers that was verified. */
  directory(): Directory
  /** The shards of one provider of the directory. */
  shards(provider: string): ShardStore
  /** Where numbers go; nowhere without. */
  metrics?: Metrics
  /** Where it is told what takes how long; nowhere without. */
  spans?: Spans
  /** Where buffers come from, if not from a pool of its own: the simulator's are useless once they are given back. */
  openBuffers?: typeof openBufferPool
}

/** What every verb of storage stands on: the ports and what is shared by all requests of this gateway. */
export type Ground = StoragePorts & {
  limits: StorageLimits
  health: Health
  writeMemory: Budget
  readMemory: Budget
  coders: Coders
  hedges: Hedges
  paces: Paces
  lanes: Lanes
  buffers: BufferPool
  leases: Leases
  meters: StorageMeters
  spans: Spans
  /** Plaintext of small objects, by version: a version's bytes never change. */
  bodies: Cache<Uint8Array>
  /** Where packs lie, by name: as it was seen last, repair may have moved a shard since. */
  packs: Cache<Segment>
}

export function openGround(ports: StoragePorts, limits: StorageLimits): Ground {
  const meters = storageMeters(ports.metrics ?? noMetrics)
  return {
    ...ports,
    limits,
    meters,
    spans: ports.spans ?? noSpans,
    health: openHealth(ports),
    writeMemory: openBudget(ports.clock, limits.writeMemoryBytes, limits.memoryWaitMs),
    readMemory: openBudget(ports.clock, limits.readMemoryBytes, limits.memoryWaitMs),
    coders: openCoders(ports.offload),
    hedges: openHedges(limits.hedgeShare, meters.hedges),
    leases: openLeases(ports.clock),
    bodies: openCache(limits.cacheBytes, (bytes) => bytes.length + keptOverhead),
    packs: openCache(keptPacks, () => 1),
    paces: openPaces(ports.clock, limits.retryMs),
    lanes: openLanes(limits.providerReads, limits.providerQueue),
    buffers: (ports.openBuffers ?? openBufferPool)({
      [storedCell]: keptCells,
      [4 * storedCell]: keptWindows,
      // Of the large ones as many as reads and writes may hold at the same time.
      [limits.windowRows * storedCell]: Math.floor(limits.readMemoryBytes / (limits.windowRows * storedCell)),
      [limits.segmentBytes]: Math.floor(limits.writeMemoryBytes / limits.segmentBytes),
    }),
  }
}

/** The same, but later ones are greater: 48 bits of time before 80 random ones. */
export function ascendingName({ clock, random }: Pick<Ground, 'clock' | 'random'>): string {
  return clock.now().toString(16).padStart(12, '0') + Buffer.from(random.bytes(10)).toString('hex')
}

/** A name nobody has used and nobody can guess: 128 random bits in hex. */
export function freshName(ground: Pick<Ground, 'random'>): string {
  return Buffer.from(ground.random.bytes(16)).toString('hex')
}
