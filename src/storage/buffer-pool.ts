/** Buffers of a few sizes that are used again, because the kernel clears fresh memory page by page. They hold what was in them. */
export type BufferPool = {
  take(length: number): Uint8Array
  /** One that has room for `length` bytes: of the smallest kept size that is not far too large, or of this length. */
  takeAtLeast(length: number): Uint8Array
  /** Gives a buffer back that nobody looks at any more. One of another size, or a part of a larger one, is left to the collector. */
  give(buffer: Uint8Array): void
}

/** A buffer so many times larger than what is wanted is not worth it. */
const farTooLarge = 4

/** @param kept length -> how many of them are kept at the most */
export function openBufferPool(kept: Readonly<Record<number, number>>): BufferPool {
  const free = new Map(Object.keys(kept).map((length) => [Number(length), [] as Uint8Array[]]))
  const sizes = [...free.keys()].sort((a, b) => a - b)
  const take = (length: number) => free.get(length)?.pop() ?? Buffer.allocUnsafeSlow(length)
  return {
    take,
    takeAtLeast(length) {
      const size = sizes.find((candidate) => candidate >= length)
      return take(size !== undefined && size <= length * farTooLarge ? size : length)
    },
    give(buffer) {
      const same = free.get(buffer.length)
      if (!same || buffer.buffer.byteLength !== buffer.length || same.length >= (kept[buffer.length] ?? 0)) return
      same.push(buffer)
    },
  }
}
