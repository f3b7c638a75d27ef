/** Every bound of the storage plane in one place; times in milliseconds, sizes in bytes. */
export type StorageLimits = {
  /** Plaintext of one segment at the most. */
  segmentBytes: number
  /** Objects up to this size share packs; 0: each is written for itself. */
  packBytes: number
  /** Plaintext of small objects that is kept for the next reader, and the largest of them. */
  cacheBytes: number
  cachedBytes: number
  /** Plaintext held by writes in flight, over all requests; a write waits for its share before it reads the body. */
  writeMemoryBytes: number
  /** Stored bytes held by reads in flight, over all requests; with little left a read fetches less at a time. */
  readMemoryBytes: number
  /** How long a request waits for its share of memory. */
  memoryWaitMs: number
  /** A write that has not planned or committed anything for this long is given up by the sweeper. */
  intentMs: number
  /** Replaced and deleted bytes stay readable this long for readers that began before. */
  readerGraceMs: number
  /** A shard whose writer is silent this long after the others are done is hedged onto a spare. */
  writeStallMs: number
  /** Times a segment is begun again on other providers before the write is refused. */
  attempts: number
  /** A read waits at least this long before it asks another shard too, however quick the providers are. */
  hedgeFloorMs: number
  /** Share of requests for shards that may be hedged, so that an overload does not double itself. */
  hedgeShare: number
  /** An answer that takes at least this long, and far longer than is usual, has stalled: others are asked in any case. */
  overdueMs: number
  /** A provider that is spared because it reads slowly is asked again after this, to see whether it still does. */
  retryMs: number
  /** Most reads at one provider at the same time, and most that wait for it. */
  providerReads: number
  providerQueue: number
  /** No answer from one provider takes longer. */
  shardMs: number
  /** Most rows fetched together, and groups of rows fetched ahead, when a segment is read. */
  windowRows: number
  readAhead: number
  /** How often providers are asked whether they are alive. */
  probeMs: number
  /** No answer to a probe within this: dark. */
  probeLimitMs: number
  /** A provider that has been dark this long is repaired around although one more loss is survived. */
  darkMs: number
  /** Segments are widened again when the providers for it have been back this long. */
  widenMs: number
  /** How often the margins are counted although no provider changed. */
  recountMs: number
  /** Pause between two rounds of repair and sweep. */
  roundMs: number
  /** Segments repaired at the same time. */
  repairs: number
  /** After a new epoch of keys began, writes under the old one still commit for so long. */
  keySettleMs: number
  /** Of a quota, how much one lease holds at the most, and for how long. */
  leaseBytes: number
  leaseObjects: number
  leaseMs: number
  /** A provider that did not take a removal is asked again after this. */
  strayRetryMs: number
  /** A shard that no intent plans and no segment names any more is removed this long after, when late writes are surely over. */
  strayMs: number
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const mebibyte = 1024 * 1024

export const defaultLimits: StorageLimits = {
  segmentBytes: 32 * mebibyte,
  packBytes: mebibyte,
  cacheBytes: 32 * mebibyte,
  cachedBytes: 4096,
  writeMemoryBytes: 256 * mebibyte,
  readMemoryBytes: 192 * mebibyte,
  memoryWaitMs: 30 * second,
  intentMs: 15 * minute,
  readerGraceMs: hour,
  writeStallMs: 2 * second,
  attempts: 4,
  hedgeFloorMs: 2,
  hedgeShare: 0.1,
  overdueMs: second,
  retryMs: second,
  providerReads: 64,
  providerQueue: 4096,
  shardMs: 30 * second,
  windowRows: 16,
  readAhead: 3,
  probeMs: second,
  probeLimitMs: 3 * second,
  darkMs: 4 * hour,
  widenMs: 10 * second,
  recountMs: 30 * second,
  roundMs: 2 * second,
  repairs: 4,
  keySettleMs: 15 * minute,
  leaseBytes: 64 * mebibyte,
  leaseObjects: 65_536,
  leaseMs: minute,
  strayMs: 10 * minute,
  strayRetryMs: minute,
}
