import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import type { PackClass } from '../index/packs.store.ts'
import { sealedBytes } from '../seal/object-seal.ts'
import type { PackJob } from './job.ts'
import { type PlannedPack, preparePack } from './plan-ahead.ts'
import { writePack } from './write-pack.ts'

/** Gathers small objects into packs. */
export type Packer = {
  /** Resolves when the object is durable in a pack and its writes are committed. @throws what `decide` throws, or why no pack could be written */
  add<T>(packClass: PackClass, job: PackJob<T>): Promise<T>
}

type Waiting = PackJob & { resolve(value: unknown): void; reject(error: unknown): void }
type Queue = {
  packClass: PackClass
  waiting: Waiting[]
  /** Sealed bytes of what waits. */
  bytes: number
  writing: number
  /** Until so many wait, or for a moment, no pack is begun. */
  gathering: { wanted: number; cancel(): void } | undefined
}

/**
 * Packs of one class that are written at the same time. One large pack costs less than several small ones; but where writing
 * one is mostly waiting for a long way, the next should not wait for its end: one more for each so many milliseconds that
 * the quickest of the last packs took, since what is quickest was held up by the way alone and not by load.
 */
const packsMost = 6
const wayMs = 25
const timesKept = 32
/** Classes whose next packs are remembered to be planned; what is forgotten expires. */
const plansMost = 1000
/** Bounds of one pack: objects, each of which the commit decides one by one, and sealed bytes. */
const objectsMost = 128
const bytesMost = 4 * 1024 * 1024
/**
 * Whoever was answered mostly comes again at once. If the next pack did not wait for them, half of all would always be one
 * pack too late: twice as many packs, and each object waits for two of them. So long it waits at the most, milliseconds.
 */
const gatherMs = 2

/**
 * Group commit: a pack is begun as soon as an object is there, and what comes while packs are being written shares the next
 * one, together with those who come again after the last. A lone object never waits, and the more come at once the fewer
 * syncs each of them costs.
 */
export function openPacker(ground: Ground): Packer {
  const queues = new Map<string, Queue>()
  const plans = openPlans()
  const times: number[] = []
  const packsAtOnce = () => {
    const quickest = times.length === 0 ? 0 : Math.min(...times)
    return Math.min(packsMost, 1 + Math.floor(quickest / wayMs))
  }

  /** What waits, and those who were just answered, shall share the next pack. A lone writer has nobody to wait for. */
  const gather = (queue: Queue, answered: number) => {
    const wanted = answered + queue.waiting.length
    if (wanted < 2) return
    queue.gathering?.cancel()
    const cancel = ground.clock.after(gatherMs, () => {
      queue.gathering = undefined
      pump(queue)
    })
    queue.gathering = { wanted, cancel }
  }
  const pump = (queue: Queue) => {
    while (isDue(queue) && queue.writing < packsAtOnce()) {
      queue.gathering?.cancel()
      queue.gathering = undefined
      const batch = takeBatch(queue)
      if (batch.length === 0) continue
      queue.writing++
      ground.meters.packObjects.observe(batch.length)
      const began = ground.clock.now()
      const planned = plans.take(queue.packClass.id)
      const next = preparePack(ground, queue.packClass)
      const keep = (plan: PlannedPack) => plans.keep(queue.packClass.id, plan)
      const options = { ...(planned && { planned }), ...(next && { next }), keep }
      const trails = batch.map(({ trail }) => trail)
      void ground.spans
        .joint('pack.write', trails, () => writePack(ground, queue.packClass, batch, options))
        .then(
          (outcomes) => {
            ground.meters.packs.committed.add()
            times.push(ground.clock.now() - began)
            if (times.length > timesKept) times.shift()
            for (const [at, outcome] of outcomes.entries()) {
              if ('error' in outcome) batch[at]?.reject(outcome.error)
              else batch[at]?.resolve(outcome.value)
            }
          },
          (error: unknown) => {
            ground.meters.packs.failed.add()
            for (const job of batch) job.reject(error)
          },
        )
        .then(() => {
          queue.writing--
          gather(queue, batch.length)
          pump(queue)
        })
    }
    if (queue.waiting.length === 0 && queue.writing === 0 && !queue.gathering) queues.delete(queue.packClass.id)
  }

  return {
    add<T>(packClass: PackClass, job: PackJob<T>): Promise<T> {
      let queue = queues.get(packClass.id)
      if (!queue) {
        queue = { packClass, waiting: [], bytes: 0, writing: 0, gathering: undefined }
        queues.set(packClass.id, queue)
      }
      const mine = queue
      return new Promise<T>((resolve, reject) => {
        mine.waiting.push({ ...job, resolve: (value) => resolve(value as T), reject })
        mine.bytes += sealedBytes(job.size)
        // After what else has come at this moment.
        queueMicrotask(() => pump(mine))
      })
    },
  }
}

/** Packs that are planned, by class: as many as were written at the same time. */
function openPlans() {
  const plans = new Map<string, PlannedPack[]>()
  return {
    take: (id: string) => plans.get(id)?.pop(),
    keep(id: string, plan: PlannedPack) {
      const kept = plans.get(id) ?? []
      plans.delete(id)
      plans.set(id, [...kept, plan].slice(-packsMost))
      if (plans.size > plansMost) plans.delete(plans.keys().next().value as string)
    },
  }
}

/** Whether a pack should be begun now. */
function isDue({ waiting, bytes, gathering }: Queue): boolean {
  if (!gathering) return waiting.length > 0
  return waiting.length >= Math.min(gathering.wanted, objectsMost) || bytes >= bytesMost
}

/** The objects of the next pack. Whoever has left meanwhile is not stored. */
function takeBatch(queue: Queue): Waiting[] {
  const { waiting } = queue
  const batch: Waiting[] = []
  let bytes = 0
  while (waiting.length > 0 && batch.length < objectsMost) {
    const [next] = waiting as [Waiting]
    const size = sealedBytes(next.size)
    if (batch.length > 0 && bytes + size > bytesMost) break
    waiting.shift()
    queue.bytes -= size
    if (next.signal.aborted) {
      next.reject(next.signal.reason ?? storageError('commit.lost'))
      continue
    }
    bytes += size
    batch.push(next)
  }
  return batch
}
