import type { Row, Statement, Trail } from '#kernel'
import type { BucketEpochs } from '../index/buckets.store.ts'
import type { Packed } from '../index/objects.store.ts'
import type { Ledger } from '../quota/account.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** A sealed object that wants to be in a pack, and what its being there means. */
export type PackJob<T = unknown> = {
  sealed: Uint8Array
  /** Plaintext bytes. */
  size: number
  signal: AbortSignal
  /** The request that waits for it, where that is traced. */
  trail?: Trail | undefined
  /**
   * Decides within the pack's commit: reads, counts against quotas as the last thing, and throws a PelagoError for what
   * refuses this object alone.
   * @returns the writes that state what the object is for, given where it lies
   */
  decide(seen: SeenBuckets, ledger: Ledger): Step<(place: PackPlace) => Step<T>>
  /** What those writes would have returned, when the commit's outcome was lost on the way back. */
  find(): Step<T | undefined>
}

/** Buckets that this commit has looked at -> what it found, undefined for one that is gone. */
export type SeenBuckets = Map<string, BucketEpochs | undefined>

export type PackPlace = Pick<Packed, 'pack' | 'slot' | 'shard' | 'start'>
