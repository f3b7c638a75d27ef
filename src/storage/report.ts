import { judge, margin, type Policy, type Provider } from '#pool'
import { storageError } from './errors.ts'
import type { Ground } from './ground.ts'
import { allBuckets, bucketIds, getBucket } from './index/buckets.store.ts'
import { countObjectsOf, findObject, partsOf } from './index/objects.store.ts'
import type { Bucket } from './object.ts'
import type { ObjectCount } from './objects/count-objects.ts'
import { allPackClasses, packClassOf, policyMoves } from './index/packs.store.ts'
import type { Segment } from './index/segment.ts'
import { countPlacements, gapsOf, listGaps, segmentAt, segmentsOf } from './index/segments.store.ts'

export type MarginCount = { margin: number; segments: number; bytes: number }

type Margins = {
  /** How many further losses are survived -> how much is in that state; -1 cannot be read now. Ascending. */
  margins: MarginCount[]
  /** Segments whose margin is below what their policy promises, and buckets that a change of policy has still to move. */
  degraded: number
}

/** How the stored bytes stand, counted in the index and seen through what this gateway knows of its providers. */
export type StorageReport = Margins & {
  /** Exact while there are few, else as of the last count. */
  objects: number
  memory: MemoryReport
}

/** The same of what one tenant has. `objects` are undefined when they are too many to be counted at once. */
export type TenantReport = Margins & { objects: number | undefined }

/** Bytes that this gateway holds for requests, and the most it would. */
export type MemoryReport = Record<'writes' | 'reads' | 'cache', { usedBytes: number; limitBytes: number }>

const gapsCounted = 1000
const ownObjectsMost = 10_000

/** Of everybody's bytes. */
export async function reportStorage(ground: Ground, objects: ObjectCount): Promise<StorageReport> {
  const margins = await countMargins(ground, undefined)
  return { ...margins, objects: await objects.ask(), memory: memoryOf(ground) }
}

/**
 * Of one tenant's bytes. Small objects share packs with all that lie under an equal policy, so packs are told of only where no bucket
 * of another tenant has that policy.
 */
export async function reportTenant(ground: Ground, tenant: string): Promise<TenantReport> {
  const margins = await countMargins(ground, tenant)
  const objects = await ground.index.read(function* () {
    return yield* countObjectsOf(yield* bucketIds(tenant), ownObjectsMost)
  })
  return { ...margins, objects }
}

/**
 * Counts margins by placement, whatever the number of segments, and corrects for single lost shards.
 * @param tenant whose bytes are counted; undefined: everybody's
 */
async function countMargins(ground: Ground, tenant: string | undefined): Promise<Margins> {
  const { counts, buckets, classes, moves, gapped } = await ground.index.read(function* () {
    const gapped = new Map<string, { segment: Segment; lost: Set<number> }>()
    for (const gap of yield* listGaps(gapsCounted)) {
      const id = `${gap.body}/${gap.position}`
      const known = gapped.get(id)
      if (known) known.lost.add(gap.shard)
      else {
        const segment = yield* segmentAt(gap)
        if (segment) gapped.set(id, { segment, lost: new Set([gap.shard]) })
      }
    }
    return {
      counts: yield* countPlacements(),
      buckets: yield* allBuckets(),
      classes: yield* allPackClasses(),
      moves: yield* policyMoves(),
      gapped,
    }
  })
  const isForeign = (bucket: Bucket) => tenant !== undefined && bucket.tenant !== tenant
  const foreign = new Set(buckets.filter(isForeign).flatMap(({ id, policy }) => [id, packClassOf(policy).id]))
  const policies = new Map(
    [...buckets, ...classes].filter(({ id }) => !foreign.has(id)).map(({ id, policy }) => [id, policy]),
  )
  const margins = new Map<number, MarginCount>()
  // What lies under an older policy than its bucket has now.
  let degraded = moves.filter((bucket) => !foreign.has(bucket)).length
  const add = (scope: string, left: number, segments: number, bytes: number) => {
    // A bucket that is gone may have been anybody's.
    if (tenant !== undefined && !policies.has(scope)) return
    const count = margins.get(left) ?? { margin: left, segments: 0, bytes: 0 }
    count.segments += segments
    count.bytes += bytes
    margins.set(left, count)
    if (left < (policies.get(scope)?.survive.providers ?? 0)) degraded += segments
  }
  for (const count of counts) add(count.scope, marginOf(ground, count, none), count.segments, count.bytes)
  for (const { segment, lost } of gapped.values()) {
    add(segment.scope, marginOf(ground, segment, none), -1, -segment.size)
    add(segment.scope, marginOf(ground, segment, lost), 1, segment.size)
  }
  const ordered = [...margins.values()].filter((count) => count.segments > 0).sort((a, b) => a.margin - b.margin)
  return { margins: ordered, degraded }
}

function memoryOf({ writeMemory, readMemory, bodies, limits }: Ground): MemoryReport {
  return {
    writes: { usedBytes: writeMemory.used(), limitBytes: limits.writeMemoryBytes },
    reads: { usedBytes: readMemory.used(), limitBytes: limits.readMemoryBytes },
    cache: { usedBytes: bodies.weight(), limitBytes: limits.cacheBytes },
  }
}

const none: ReadonlySet<number> = new Set()

function marginOf(ground: Ground, { holders, k }: { holders: string[]; k: number }, lost: ReadonlySet<number>): number {
  const known = new Map(ground.directory().providers.map((provider) => [provider.id, provider]))
  const alive = holders
    .filter((holder, shard) => !lost.has(shard) && ground.health.of(holder).state === 'alive')
    .map((holder) => known.get(holder))
    .filter((provider) => provider !== undefined)
  return margin(alive, k)
}

export type ShardPlace = {
  index: number
  name: string
  provider: string
  country: string
  owner: string
  state: 'alive' | 'dark' | 'gone' | 'lost'
}
export type ObjectWhere = {
  key: string
  version: string
  size: number
  policy: Policy
  segments: { id: string; bytes: number; data: number; parity: number; margin: number; shards: ShardPlace[] }[]
  refused: { provider: string; reason: string }[]
  /** Eligible providers that hold nothing of it, with the reason. */
  idle: { provider: string; reason: string }[]
}

/** Says which shard of an object lies at whom. @throws bucket.missing, object.missing */
export async function whereObject(
  ground: Ground,
  tenant: string,
  input: { bucket: string; key: string },
): Promise<ObjectWhere> {
  const { bucket, object, segments } = await ground.index.read(function* () {
    const bucket = yield* getBucket(tenant, input.bucket)
    const object = yield* findObject(bucket.id, input.key)
    if (!object) throw storageError('object.missing', { bucket: bucket.name, key: input.key })
    const bodies = object.multipart
      ? (yield* partsOf(object.version)).map((part) => part.body)
      : [object.packed?.pack ?? object.version]
    const segments: { segment: Segment; lost: Set<number> }[] = []
    for (const body of bodies) {
      for (const segment of yield* segmentsOf(body)) {
        segments.push({ segment, lost: new Set((yield* gapsOf(segment)).map((gap) => gap.shard)) })
      }
    }
    return { bucket, object, segments }
  })
  const directory = ground.directory()
  const known = new Map(directory.providers.map((provider) => [provider.id, provider]))
  const { eligible, refused } = judge(directory, bucket.policy)
  const holding = new Set(segments.flatMap(({ segment }) => segment.holders))
  return {
    key: object.key,
    version: object.version,
    size: object.size,
    policy: bucket.policy,
    segments: segments.map(({ segment, lost }) => ({
      id: segment.segment,
      // Of a pack, only this object's part.
      bytes: object.packed ? object.size : segment.size,
      data: segment.k,
      parity: segment.m,
      margin: marginOf(ground, segment, lost),
      shards: segment.holders.map((holder, index) => ({
        index,
        name: segment.names[index] as string,
        ...factsOf(known.get(holder), holder),
        state: lost.has(index) ? 'lost' : known.has(holder) ? ground.health.of(holder).state : 'gone',
      })),
    })),
    refused,
    idle: eligible
      .filter((provider) => !holding.has(provider.id))
      .map((provider) => ({ provider: provider.id, reason: idleReason(ground, provider.id) })),
  }
}

function factsOf(provider: Provider | undefined, id: string) {
  return { provider: id, country: provider?.country ?? '??', owner: provider?.owner ?? 'unknown' }
}

function idleReason(ground: Ground, provider: string): string {
  const health = ground.health.of(provider)
  if (health.state === 'dark') return 'It is allowed, but does not answer.'
  if (health.full) return 'It is allowed, but has no room left.'
  return 'It is allowed and free; the code needs no further provider.'
}
