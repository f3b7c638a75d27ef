import { createHash } from 'node:crypto'

/**
 * A node of the tree over the log: level 0 are the leaves, node `index` of level `l` covers the leaves from `index * 2^l` up
 * to, not including, `(index + 1) * 2^l`. Only nodes whose leaves are all there are kept; they never change.
 */
export type Place = { level: number; index: number }
/** Asks for the hashes of kept nodes, one after the other, so that a store can be behind it or a list. */
export type Asking<T> = Generator<Place, T, Uint8Array>

/** Hash of a leaf. Source: RFC 9162, 2.1.1. */
export function leafHash(entry: Uint8Array | string): Buffer {
  return createHash('sha256').update(zero).update(entry).digest()
}

/** Hash of an inner node. Source: RFC 9162, 2.1.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(one).update(left).update(right).digest()
}

const zero = Buffer.from([0])
const one = Buffer.from([1])

/** Root of a log without entries. */
export const emptyRoot: Uint8Array = createHash('sha256').digest()

/** The nodes that become whole when leaf `index` is added: itself and the parents of which it is the last leaf. */
export function* grow(index: number, leaf: Uint8Array): Asking<(Place & { hash: Uint8Array })[]> {
  const grown = [{ level: 0, index, hash: leaf }]
  let hash = leaf
  let at = index
  for (let level = 0; at % 2 === 1; level++) {
    hash = nodeHash(yield { level, index: at - 1 }, hash)
    at = (at - 1) / 2
    grown.push({ level: level + 1, index: at, hash })
  }
  return grown
}

/** Hash over the leaves from `start` up to, not including, `end`, where `start` is a multiple of the largest power of two in it. */
export function* rangeHash(start: number, end: number): Asking<Uint8Array> {
  if (start === end) return emptyRoot
  const size = end - start
  const level = levelOf(size)
  if (2 ** level === size) return yield { level, index: start / size }
  const middle = start + split(size)
  const left = yield* rangeHash(start, middle)
  return nodeHash(left, yield* rangeHash(middle, end))
}

/** Hashes that lead from leaf `index` to the root over the first `size` leaves. Source: RFC 9162, 2.1.3.1. */
export function* inclusionPath(index: number, size: number): Asking<Uint8Array[]> {
  const path: Uint8Array[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + split(end - start)
    if (index < middle) {
      path.push(yield* rangeHash(middle, end))
      end = middle
    } else {
      path.push(yield* rangeHash(start, middle))
      start = middle
    }
  }
  return path.reverse()
}

/** Hashes that show that the log of `size` entries begins with the one of `earlier`. Source: RFC 9162, 2.1.4.1. */
export function* consistencyPath(earlier: number, size: number): Asking<Uint8Array[]> {
  if (earlier === 0 || earlier === size) return []
  const path: Uint8Array[] = []
  let [start, end, whole] = [0, size, true]
  while (earlier !== end) {
    const middle = start + split(end - start)
    if (earlier <= middle) {
      path.push(yield* rangeHash(middle, end))
      end = middle
    } else {
      path.push(yield* rangeHash(start, middle))
      start = middle
      whole = false
    }
  }
  if (!whole) path.push(yield* rangeHash(start, end))
  return path.reverse()
}

/** The largest power of two below `size`. */
function split(size: number): number {
  return 2 ** (levelOf(size) - 1)
}

/** The level whose nodes are the smallest that cover `size` leaves. */
function levelOf(size: number): number {
  let level = 0
  while (2 ** level < size) level++
  return level
}

/**
 * The root that an inclusion path leads to.
 * @returns undefined when the path has not the length that it must have. Source: RFC 9162, 2.1.3.2
 */
export function rootOfInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
): Uint8Array | undefined {
  if (index >= size) return undefined
  let [node, last] = [index, size - 1]
  let hash = leaf
  for (const step of path) {
    if (last === 0) return undefined
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(step, hash)
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, half(last)]
    } else hash = nodeHash(hash, step)
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 ? hash : undefined
}

/** Whether the log with root `root` begins with the one with root `earlierRoot`. Source: RFC 9162, 2.1.4.2. */
export function isConsistent(
  earlier: number,
  size: number,
  earlierRoot: Uint8Array,
  root: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (earlier > size) return false
  if (earlier === 0) return path.length === 0
  if (earlier === size) return path.length === 0 && same(earlierRoot, root)
  const steps = isPower(earlier) ? [earlierRoot, ...path] : [...path]
  let [node, last] = [earlier - 1, size - 1]
  while (node % 2 === 1) [node, last] = [half(node), half(last)]
  const first = steps.shift()
  if (!first) return false
  let [before, after] = [first, first]
  for (const step of steps) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      before = nodeHash(step, before)
      after = nodeHash(step, after)
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, half(last)]
    } else after = nodeHash(after, step)
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && same(before, earlierRoot) && same(after, root)
}

const half = (value: number) => Math.floor(value / 2)
const isPower = (value: number) => 2 ** levelOf(value) === value
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

/** Grows a tree leaf by leaf, keeping only the nodes that the root is made of. */
export function openGrowingTree(): { add(leaf: Uint8Array): void; size(): number; root(): Uint8Array } {
  const whole: { level: number; hash: Uint8Array }[] = []
  let size = 0
  return {
    add(leaf) {
      let node = { level: 0, hash: leaf }
      while (whole.at(-1)?.level === node.level) {
        const left = whole.pop() as typeof node
        node = { level: node.level + 1, hash: nodeHash(left.hash, node.hash) }
      }
      whole.push(node)
      size++
    },
    size: () => size,
    root() {
      const last = whole.at(-1)
      if (!last) return emptyRoot
      return whole.slice(0, -1).reduceRight((right, left) => nodeHash(left.hash, right), last.hash)
    },
  }
}
