import { createHash, hash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { HashAlgorithm, Offload, OffloadedHash } from '#kernel'
import { type HashLane, openLane } from './offload-lane.ts'

/** Up to here a hash is computed where it is asked for: the way to another thread and back would take longer. */
const inlineBytes = 64 * 1024

/** How much is hashed elsewhere, and how to end the threads. */
export type OpenOffload = Offload & { close(): Promise<void> }

/**
 * Hashes on worker threads and compiles WebAssembly off the main thread.
 * @param threads how many at the most; they are started when first needed
 */
export function openOffload(threads = Math.max(1, Math.min(availableParallelism() - 1, 4))): OpenOffload {
  const lanes: (HashLane | undefined)[] = Array.from({ length: threads })
  const lane = (): HashLane => {
    let best = 0
    for (let at = 0; at < threads; at++) {
      const candidate = lanes[at]
      if (!candidate || candidate.failed()) {
        const fresh = openLane()
        lanes[at] = fresh
        return fresh
      }
      if (candidate.hashes() === 0) return candidate
      if (candidate.hashes() < (lanes[best] as HashLane).hashes()) best = at
    }
    return lanes[best] as HashLane
  }
  return {
    hash: (algorithm) => growingHash(algorithm, lane),
    compile: (wasm) => WebAssembly.compile(wasm),
    async close() {
      await Promise.all(lanes.map(async (lane) => lane?.close()))
    },
  }
}

/** Gathers the first bytes; only what outgrows them is worth a thread, and then stays there to its end. */
function growingHash(algorithm: HashAlgorithm, lane: () => HashLane): OffloadedHash {
  let gathered: Uint8Array[] = []
  let length = 0
  let away: OffloadedHash | undefined
  return {
    async update(bytes) {
      if (away) return away.update(bytes)
      if (length + bytes.length <= inlineBytes) {
        // A copy; `slice` of a Buffer would be a view of memory that the caller may use again.
        gathered.push(new Uint8Array(bytes))
        length += bytes.length
        return
      }
      away = lane().hash(algorithm)
      for (const part of gathered) await away.update(part)
      gathered = []
      return away.update(bytes)
    },
    async digest() {
      if (away) return away.digest()
      const [only] = gathered
      if (gathered.length === 1 && only) return hash(algorithm, only, 'buffer')
      const local = createHash(algorithm)
      for (const part of gathered) local.update(part)
      return local.digest()
    },
    drop() {
      gathered = []
      away?.drop()
    },
  }
}
