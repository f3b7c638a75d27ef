import type { OffloadedHash } from '#kernel'
import { release } from '#kernel'
import { storageError } from '../errors.ts'
import type { Body } from '../object.ts'

/** The plaintext of one segment while it arrives. It is kept until enough shards are durable, so that any shard can be made again. */
export type Plain = {
  readonly bytes: Uint8Array
  /** Resolves when the first `length` bytes are there; rejects when the body broke off. */
  reach(length: number): Promise<void>
}

type OpenPlain = Plain & { filled: number; advance(length: number): void; fail(error: unknown): void }

/** Plaintext that is whole already. */
export function wholePlain(bytes: Uint8Array): Plain {
  return { bytes, reach: async () => {} }
}

/** @param bytes memory for it, which may hold anything before: `filled` guards what is read */
export function openPlain(bytes: Uint8Array): OpenPlain {
  let waiters: { length: number; resolve: () => void; reject: (error: unknown) => void }[] = []
  let broken: { error: unknown } | undefined
  const plain: OpenPlain = {
    bytes,
    filled: 0,
    reach(length) {
      if (broken) return Promise.reject(broken.error)
      if (plain.filled >= length) return Promise.resolve()
      return new Promise((resolve, reject) => waiters.push({ length, resolve, reject }))
    },
    advance(length) {
      plain.filled += length
      const ready = waiters.filter((waiter) => waiter.length <= plain.filled)
      if (ready.length === 0) return
      waiters = waiters.filter((waiter) => waiter.length > plain.filled)
      for (const waiter of ready) waiter.resolve()
    },
    fail(error) {
      broken = { error }
      for (const waiter of waiters) waiter.reject(error)
      waiters = []
    },
  }
  return plain
}

/** Bytes that are hashed together, because each time the thread that does it is woken costs. */
const hashBytes = 256 * 1024

/** Cuts a body's chunks into segments, hashing as it goes. */
export type BodyReader = {
  /** Fills the segment. `progress` is awaited after each chunk. Rejects, and breaks the segment, when the body ends early or fails. */
  fill(plain: OpenPlain, progress: () => Promise<void>): Promise<void>
  /** After the last segment: checks that nothing follows. @returns the MD5 of everything, where it was wanted */
  end(): Promise<Uint8Array | undefined>
  /** Gives up; does not wait for the sender. */
  drop(): void
}

/** @param md5 undefined where nobody needs it */
export function openBodyReader(body: Body, md5: OffloadedHash | undefined): BodyReader {
  const chunks = body.chunks[Symbol.asyncIterator]()
  let got = 0
  let rest: Uint8Array | undefined
  let hashed = Promise.resolve()

  const next = async (): Promise<Uint8Array | undefined> => {
    if (rest) {
      const chunk = rest
      rest = undefined
      return chunk
    }
    const { done, value } = await chunks.next()
    return done ? undefined : value
  }

  return {
    async fill(plain, progress) {
      let hashedTo = 0
      try {
        while (plain.filled < plain.bytes.length) {
          const chunk = await next()
          if (!chunk) throw storageError('body.short', { got, size: body.size })
          const at = plain.filled
          const taken = Math.min(chunk.length, plain.bytes.length - at)
          plain.bytes.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), at)
          if (taken < chunk.length) rest = chunk.subarray(taken)
          else release(chunk)
          got += taken
          plain.advance(taken)
          const ahead = plain.filled - hashedTo
          if (md5 && (ahead >= hashBytes || plain.filled === plain.bytes.length)) {
            // One update at a time is under way while the next chunks are awaited.
            await hashed
            hashed = md5.update(plain.bytes.subarray(hashedTo, plain.filled))
            hashed.catch(() => {})
            hashedTo = plain.filled
          }
          await progress()
        }
        await hashed
      } catch (error) {
        plain.fail(error)
        throw error
      }
    },
    async end() {
      for (let chunk = await next(); chunk; chunk = await next()) {
        if (chunk.length > 0) throw storageError('body.long', { size: body.size })
      }
      await hashed
      return md5?.digest()
    },
    drop() {
      md5?.drop()
      chunks.return?.().catch(() => {})
    },
  }
}
