/** Time. The only source of it: in the simulator it is virtual. */
export type Clock = {
  /** Milliseconds since 1970 UTC. */
  now(): number
  /** Runs `act` once after `ms`; the returned function cancels it. */
  after(ms: number, act: () => void): () => void
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

/** Who asks, for whom, until when: handed down through every verb. */
export type Call = {
  actor: string
  tenant: string
  /** Milliseconds since 1970 UTC; nobody waits longer. */
  deadline: number
  signal: AbortSignal
  trace: string
}

/** Waits `ms` on the port's clock. Rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(reasonOf(signal))
    const abort = () => {
      cancel()
      reject(reasonOf(signal as AbortSignal))
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
  })
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason))
}
