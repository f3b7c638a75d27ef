/** The thread behind a lane: sleeps on the ring, hashes slot after slot, answers with digests. */
import { createHash, type Hash } from 'node:crypto'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import * as ring from './offload-ring.ts'

const data = workerData as ring.LaneData
const control = new Int32Array(data.control)
const bytes = new Uint8Array(data.bytes)
const hashes = new Map<number, Hash>()
const answer = (reply: ring.LaneReply) => (parentPort as MessagePort).postMessage(reply, [])

for (let job = 0; ; job = (job + 1) | 0) {
  while (Atomics.load(control, ring.produced) === job) Atomics.wait(control, ring.produced, job)
  const entry = ring.entryOf(job)
  const id = control[entry] as number
  const kind = control[entry + 2] as number
  if (kind === ring.update) {
    let hash = hashes.get(id)
    if (!hash) hashes.set(id, (hash = createHash(ring.algorithms[control[entry + 1] as number] as string)))
    const start = ring.slotOf(job) * ring.slotBytes
    hash.update(bytes.subarray(start, start + (control[entry + 3] as number)))
  } else {
    const hash = hashes.get(id)
    hashes.delete(id)
    if (kind === ring.digest && hash) answer({ id, digest: hash.digest() })
  }
  Atomics.store(control, ring.consumed, (job + 1) | 0)
  if (Atomics.exchange(control, ring.wanted, 0) === 1) answer('room')
}
