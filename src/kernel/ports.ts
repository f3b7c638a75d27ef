/** Time. The only source of it: in the simulator it is virtual. */
export type Clock = {
  /** Milliseconds since 1970 UTC. */
  now(): number
  /** Runs `act` once after `ms`, for 0 as soon as what waits now has had its turn; the returned function cancels it. */
  after(ms: number, act: () => void): () => void
}

/** Lets everybody else have their turn, so that long work keeps nobody waiting for long. */
export function turn(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.after(0, resolve))
}

/** Bytes that nobody can foresee. In the simulator they come from the seed. */
export type Random = {
  bytes(length: number): Uint8Array
}

export type HashAlgorithm = 'md5' | 'sha1' | 'sha256' | 'sha512'

/** A hash that may run on another thread. Nothing may write into `bytes` until the promise of `update` has settled. */
export type OffloadedHash = {
  update(bytes: Uint8Array): Promise<void>
  digest(): Promise<Uint8Array>
  /** Forgets an unfinished hash. */
  drop(): void
}

/**
 * Work that finishes on another thread. Behind a port because the order of its results depends on the machine;
 * the simulator reserves a virtual time for each result, so that a seed replays equally.
 */
export type Offload = {
  hash(algorithm: HashAlgorithm): OffloadedHash
  compile(wasm: Uint8Array): Promise<WebAssembly.Module>
}

export type LogLevel = 'info' | 'warn' | 'error'

/** One line of log: what happened, with facts that hold no secret, no object content and no key. */
export type Log = (level: LogLevel, event: string, facts?: Record<string, string | number | boolean>) => void

/** Who asks and for whom: handed down through every verb. The signal ends it when the asker leaves or its time is up. */
export type Call = {
  actor: string
  tenant: string
  signal: AbortSignal
  trace: string
  /**
   * The wish behind the request, where the asker named it: repetitions have the same. What must happen only once is done
   * through `once` of `#journal`. `key` seals what is kept for it.
   */
  once?: { id: string; key: Uint8Array }
}
