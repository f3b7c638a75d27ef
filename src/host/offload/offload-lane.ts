import { Worker } from 'node:worker_threads'
import type { OffloadedHash, HashAlgorithm } from '#kernel'
import { hostError } from '../errors.ts'
import * as ring from './offload-ring.ts'

/** One thread that hashes, with the ring of shared memory that feeds it. */
export type HashLane = {
  hash(algorithm: HashAlgorithm): OffloadedHash
  /** Unfinished hashes: how busy the lane is. */
  hashes(): number
  failed(): boolean
  close(): Promise<void>
}

type Pending = { resolve(digest: Uint8Array): void; reject(error: Error): void }

/**
 * Starts the thread. Bytes are copied into the ring, so an update settles as soon as there is room, while the thread is
 * still hashing: the caller reads its next bytes meanwhile.
 */
export function openLane(): HashLane {
  const data: ring.LaneData = {
    control: new SharedArrayBuffer(ring.controlInts * 4),
    bytes: new SharedArrayBuffer(ring.slots * ring.slotBytes),
  }
  const control = new Int32Array(data.control)
  const memory = new Uint8Array(data.bytes)
  const worker = new Worker(new URL('./offload-worker.ts', import.meta.url), { workerData: data })
  worker.unref()
  const pending = new Map<number, Pending>()
  let waiting: (() => void)[] = []
  let open = 0
  let lastId = 0
  let failure: Error | undefined

  const wake = () => {
    const all = waiting
    waiting = []
    for (const go of all) go()
  }
  const fail = (reason: string) => {
    failure ??= hostError('offload.lost', { reason })
    for (const waiter of pending.values()) waiter.reject(failure)
    pending.clear()
    wake()
  }
  worker.on('message', (reply: ring.LaneReply) => {
    if (reply === 'room') return wake()
    pending.get(reply.id)?.resolve(reply.digest)
    pending.delete(reply.id)
    if (pending.size === 0 && waiting.length === 0) worker.unref()
  })
  worker.on('error', (error) => fail(error instanceof Error ? error.message : String(error)))
  worker.on('exit', (code) => fail(`exit code ${code}`))

  const full = () => ((Atomics.load(control, ring.produced) - Atomics.load(control, ring.consumed)) | 0) >= ring.slots
  const room = async () => {
    while (full() && !failure) {
      Atomics.store(control, ring.wanted, 1)
      // The thread may have freed a slot before it could see the wish; then nobody would call.
      if (!full()) break
      worker.ref()
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    if (failure) throw failure
  }
  /** Others may fill the ring between the end of a wait and its continuation, so the check and the write are one step. */
  const place = async (...entry: Parameters<typeof put>) => {
    while (full() || failure) await room()
    put(...entry)
  }
  const put = (id: number, algorithm: number, kind: number, bytes?: Uint8Array) => {
    const job = Atomics.load(control, ring.produced)
    const entry = ring.entryOf(job)
    control[entry] = id
    control[entry + 1] = algorithm
    control[entry + 2] = kind
    control[entry + 3] = bytes?.length ?? 0
    if (bytes) memory.set(bytes, ring.slotOf(job) * ring.slotBytes)
    Atomics.store(control, ring.produced, (job + 1) | 0)
    Atomics.notify(control, ring.produced)
  }

  return {
    hashes: () => open,
    failed: () => failure !== undefined,
    async close() {
      await worker.terminate()
    },
    hash(name) {
      const id = (lastId = (lastId + 1) | 0)
      const algorithm = ring.algorithms.indexOf(name)
      let done = false
      open++
      const end = () => {
        if (!done) open--
        done = true
      }
      return {
        async update(bytes) {
          for (let at = 0; at < bytes.length; at += ring.slotBytes) {
            await place(id, algorithm, ring.update, bytes.subarray(at, at + ring.slotBytes))
          }
        },
        async digest() {
          try {
            const answer = new Promise<Uint8Array>((resolve, reject) => {
              pending.set(id, { resolve, reject })
            })
            worker.ref()
            await Promise.all([answer, place(id, algorithm, ring.digest)])
            return await answer
          } finally {
            end()
          }
        },
        drop() {
          if (done) return
          end()
          place(id, algorithm, ring.drop).then(
            () => {},
            () => pending.delete(id),
          )
        },
      }
    },
  }
}
