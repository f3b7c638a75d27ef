import { createHash, hash } from 'node:crypto'
import type { Clock, Offload, Random } from '#kernel'

/** A seeded world: its own time, its own chance, and a trace of all that happened. The same seed gives the same trace. */
export type World = {
  clock: Clock
  random: Random
  offload: Offload
  /** A number from 0 up to, not including, `below`. */
  dice(below: number): number
  chance(probability: number): boolean
  /** Adds to the trace. */
  note(line: string): void
  /** Runs until `done` holds; time only moves when nobody has anything to do. @throws when `limitMs` of virtual time are over */
  runUntil(done: () => boolean, limitMs: number): Promise<void>
  /** Hash over the whole trace. */
  fingerprint(): string
  /** The last lines of the trace. */
  tail(): string[]
}

const keptLines = 400

export function openWorld(seed: number): World {
  const next = generator(seed)
  const events: { at: number; order: number; act: () => void; dead: boolean }[] = []
  const trace = createHash('sha256')
  const lines: string[] = []
  // Days of the trash are named after the date, so time does not begin at zero.
  let now = Date.UTC(2026, 0, 1)
  let order = 0

  const dice = (below: number) => Math.floor((next() / 2 ** 32) * below)
  const clock: Clock = {
    now: () => now,
    after(ms, act) {
      const event = { at: now + Math.max(0, ms), order: order++, act, dead: false }
      push(events, event)
      return () => {
        event.dead = true
      }
    },
  }
  return {
    clock,
    dice,
    chance: (probability) => next() / 2 ** 32 < probability,
    random: {
      bytes(length) {
        const bytes = new Uint8Array(length)
        for (let at = 0; at < length; at++) bytes[at] = next() >>> 24
        return bytes
      },
    },
    offload: {
      hash(algorithm) {
        const parts: Uint8Array[] = []
        return {
          async update(bytes) {
            // A copy; `slice` of a Buffer would be a view of memory that is used again.
            parts.push(new Uint8Array(bytes))
          },
          // The result comes at a time of its own, as from another thread.
          digest: () =>
            new Promise((resolve) => {
              const digest = hash(algorithm, Buffer.concat(parts), 'buffer')
              clock.after(dice(3), () => resolve(digest))
            }),
          drop: () => void parts.splice(0),
        }
      },
      compile: (wasm) => new Promise((resolve) => clock.after(dice(3), () => resolve(new WebAssembly.Module(wasm)))),
    },
    note(line) {
      const whole = `${now} ${line}`
      trace.update(`${whole}\n`)
      lines.push(whole)
      if (lines.length > 2 * keptLines) lines.splice(0, keptLines)
    },
    async runUntil(done, limitMs) {
      const limit = now + limitMs
      await quiet()
      while (!done()) {
        const event = pop(events)
        if (!event) throw new Error('nothing will ever happen again, but it is not done')
        if (event.dead) continue
        if (event.at > limit) throw new Error(`not done after ${limitMs} ms`)
        now = event.at
        event.act()
        await quiet()
      }
    },
    fingerprint: () => trace.copy().digest('hex'),
    tail: () => lines.slice(-keptLines),
  }
}

/** All that follows at once has happened when the loop comes round: no port of the world waits for the machine. */
const quiet = () => new Promise<void>((resolve) => setImmediate(resolve))

/** sfc32 by Chris Doty-Humphrey (PractRand): small, fast, good enough for chance. */
function generator(seed: number): () => number {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, seed >>> 0, 1]
  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return sum >>> 0
  }
  for (let warm = 0; warm < 16; warm++) next()
  return next
}

type Event = { at: number; order: number; act: () => void; dead: boolean }
const before = (x: Event, y: Event) => x.at < y.at || (x.at === y.at && x.order < y.order)

/** A binary heap. */
function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (before(heap[parent] as Event, event)) break
    heap[at] = heap[parent] as Event
    at = parent
  }
  heap[at] = event
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (!first || !last || heap.length === 0) return first
  let at = 0
  while (true) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++
    if (before(last, heap[child] as Event)) break
    heap[at] = heap[child] as Event
    at = child
  }
  heap[at] = last
  return first
}
