import { createHash } from 'node:crypto'
import { canonicalJson, type Clock, type Json } from '#kernel'
import type { StreamEvent } from './handler.ts'

/** A state that several readers watch. Each is told the newest state when it is another than the last he has had. */
export type Watch<T> = {
  /**
   * @param signal ends it
   * @param last the id of the last state that the reader has had, from this process or another
   */
  follow(signal: AbortSignal, last: string | undefined): AsyncGenerator<StreamEvent<T>>
}

/** The same for states that differ by who looks: each asker's is looked at while he watches, and forgotten with its last reader. */
export function openWatches<A extends Json, T>(
  clock: Clock,
  everyMs: number,
  read: (asker: A) => Promise<T> | T,
  sameness: (state: T) => Json,
): { follow(asker: A, signal: AbortSignal, last: string | undefined): AsyncGenerator<StreamEvent<T>> } {
  const open = new Map<string, { watch: Watch<T>; readers: number }>()
  return {
    async *follow(asker, signal, last) {
      const name = canonicalJson(asker)
      const entry = open.get(name) ?? { watch: openWatch(clock, everyMs, () => read(asker), sameness), readers: 0 }
      open.set(name, entry)
      entry.readers++
      try {
        yield* entry.watch.follow(signal, last)
      } finally {
        if (--entry.readers === 0) open.delete(name)
      }
    },
  }
}

/**
 * Looks at a state again and again while somebody watches: once for all watchers, and never when there is none. A slow reader misses
 * what was between, and never the end of it, so nothing is kept for him.
 * @param sameness what makes a state another one; the rest may change unseen
 */
export function openWatch<T>(
  clock: Clock,
  everyMs: number,
  read: () => Promise<T> | T,
  sameness: (state: T) => Json,
): Watch<T> {
  const readers = new Set<() => void>()
  let current: { id: string; data: T } | undefined
  let failure: { error: unknown } | undefined
  let polling = false

  const look = async () => {
    try {
      const data = await read()
      const id = createHash('sha256')
        .update(canonicalJson(sameness(data)))
        .digest('base64url')
        .slice(0, 16)
      if (id !== current?.id) current = { id, data }
    } catch (error) {
      failure = { error }
    }
    for (const wake of readers) wake()
    if (readers.size > 0 && !failure) clock.after(everyMs, () => void look())
    else polling = false
  }
  const begin = () => {
    if (polling) return
    polling = true
    current = undefined
    failure = undefined
    void look()
  }

  return {
    async *follow(signal, last) {
      let wake = () => {}
      const own = () => wake()
      readers.add(own)
      signal.addEventListener('abort', own, { once: true })
      begin()
      try {
        let seen = last
        while (!signal.aborted) {
          if (failure) throw failure.error
          if (current && current.id !== seen) {
            seen = current.id
            yield current
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
        }
      } finally {
        readers.delete(own)
        signal.removeEventListener('abort', own)
      }
    },
  }
}
