/**
 * One provider as a gateway sees it: create-only shards under random names.
 * Errors: `shard.exists`, `shard.missing`, `shard.full` (quota or disk), `shard.denied`, `shard.unreachable`,
 * `shard.uncertain` (sent, outcome unknown: never reuse the name).
 */
export type ShardStore = {
  /**
   * Begins to write a shard of exactly `length` bytes.
   * @param name 32 hex digits, never used before
   */
  create(name: string, length: number, signal: AbortSignal): ShardWriter
  /**
   * Reads `length` bytes at `offset`, never fewer.
   * @param into the caller's own memory, at least that long; it is filled from its beginning and not touched any more once
   *   the promise has settled. Without it the bytes come in memory of their own
   */
  read(name: string, offset: number, length: number, signal: AbortSignal, into?: Uint8Array): Promise<Uint8Array>
  /** Puts a shard into the provider's trash; a missing shard is no error. */
  trash(name: string, signal: AbortSignal): Promise<void>
  /** A page of shard names after `after` in ascending order; empty at the end. */
  list(after: string, limit: number, signal: AbortSignal): Promise<string[]>
  status(signal: AbortSignal): Promise<ShardStoreStatus>
}

export type ShardWriter = {
  /** Sends the next bytes. They must not change until the promise settles; then the caller may reuse them. */
  write(bytes: Uint8Array): Promise<void>
  /**
   * Resolves when all bytes are durable at the provider: file and directory entry synced. It may be called before the last
   * `write` has settled; the two then go out together.
   */
  finish(): Promise<void>
  /** Gives up; the provider drops what it has. */
  abort(): void
}

export type ShardStoreStatus = {
  usedBytes: number
  quotaBytes: number
  shards: number
  trashedShards: number
  /** Count of fdatasync and fsync calls since the process started, so that durability is counted and not assumed. */
  syncs: number
}
