import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Asking,
  consistencyPath,
  grow,
  inclusionPath,
  isConsistent,
  leafHash,
  openGrowingTree,
  type Place,
  rangeHash,
  rootOfInclusion,
} from './merkle.ts'

/** The tree as RFC 9162, 2.1 defines it, word for word and without any shortcut. */
const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const greatest = (n: number): number => {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}
function naive(leaves: Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha()
  if (leaves.length === 1) return sha(Buffer.from([0]), leaves[0] as Uint8Array)
  const k = greatest(leaves.length)
  return sha(Buffer.from([1]), naive(leaves.slice(0, k)), naive(leaves.slice(k)))
}
function naivePath(m: number, leaves: Uint8Array[]): Buffer[] {
  if (leaves.length === 1) return []
  const k = greatest(leaves.length)
  return m < k
    ? [...naivePath(m, leaves.slice(0, k)), naive(leaves.slice(k))]
    : [...naivePath(m - k, leaves.slice(k)), naive(leaves.slice(0, k))]
}
function naiveConsistency(m: number, leaves: Uint8Array[], whole: boolean): Buffer[] {
  if (m === leaves.length) return whole ? [] : [naive(leaves)]
  const k = greatest(leaves.length)
  return m <= k
    ? [...naiveConsistency(m, leaves.slice(0, k), whole), naive(leaves.slice(k))]
    : [...naiveConsistency(m - k, leaves.slice(k), false), naive(leaves.slice(0, k))]
}

const hex = (hash: Uint8Array | undefined) => hash && Buffer.from(hash).toString('hex')
const leavesOf = (size: number) => Array.from({ length: size }, (_, at) => Buffer.from(`entry ${at}`))

/** A tree as the log keeps it, counting what is read. */
function openTree(leaves: Uint8Array[]) {
  const nodes = new Map<string, Uint8Array>()
  let reads = 0
  const ask = <T>(asking: Asking<T>): T => {
    let step = asking.next()
    while (!step.done) {
      const { level, index }: Place = step.value
      const node = nodes.get(`${level}/${index}`)
      assert.ok(node, `node ${index} of level ${level} was asked for before it was whole`)
      reads++
      step = asking.next(node)
    }
    return step.value
  }
  leaves.forEach((leaf, at) => {
    for (const { level, index, hash } of ask(grow(at, leafHash(leaf)))) {
      assert.ok(!nodes.has(`${level}/${index}`), 'a node changed')
      nodes.set(`${level}/${index}`, hash)
    }
  })
  return {
    ask,
    readsOf(act: () => void) {
      reads = 0
      act()
      return reads
    },
  }
}

test('root, inclusion and consistency are those of the definition, for every size up to 40 and every place', () => {
  const all = leavesOf(40)
  const tree = openTree(all)
  for (let size = 0; size <= all.length; size++) {
    const leaves = all.slice(0, size)
    assert.equal(hex(tree.ask(rangeHash(0, size))), hex(naive(leaves)))
    for (let index = 0; index < size; index++) {
      const path = tree.ask(inclusionPath(index, size))
      assert.deepEqual(path.map(hex), naivePath(index, leaves).map(hex))
      assert.equal(hex(rootOfInclusion(index, size, leafHash(all[index] as Uint8Array), path)), hex(naive(leaves)))
    }
    for (let earlier = 1; earlier <= size; earlier++) {
      const path = tree.ask(consistencyPath(earlier, size))
      assert.deepEqual(path.map(hex), naiveConsistency(earlier, leaves, true).map(hex))
      assert.ok(isConsistent(earlier, size, naive(leaves.slice(0, earlier)), naive(leaves), path))
    }
  }
})

test('a tree that grows keeping only what it needs has the same root', () => {
  const growing = openGrowingTree()
  const leaves = leavesOf(300)
  leaves.forEach((leaf, at) => {
    growing.add(leafHash(leaf))
    if (at % 7 === 0) assert.equal(hex(growing.root()), hex(naive(leaves.slice(0, at + 1))))
  })
})

test('a wrong place, size, root, leaf, length or step proves nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.nat(), fc.nat(), (size, at, which, kind) => {
      const leaves = leavesOf(size)
      const { ask } = openTree(leaves)
      const root = ask(rangeHash(0, size))
      const index = at % size
      const path = ask(inclusionPath(index, size))
      const bent = bend(path, which, kind)
      assert.notEqual(hex(rootOfInclusion(index, size, leafHash(leaves[index] as Uint8Array), bent)), hex(root))
      assert.notEqual(hex(rootOfInclusion(index, size, leafHash('another'), path)), hex(root))
      if (size > 1) {
        const other = (index + 1 + (which % (size - 1))) % size
        assert.notEqual(hex(rootOfInclusion(other, size, leafHash(leaves[index] as Uint8Array), path)), hex(root))
      }
      const earlier = index + 1
      if (earlier < size) {
        const steps = ask(consistencyPath(earlier, size))
        const earlierRoot = ask(rangeHash(0, earlier))
        assert.ok(isConsistent(earlier, size, earlierRoot, root, steps))
        assert.ok(!isConsistent(earlier, size, earlierRoot, root, bend(steps, which, kind)))
        assert.ok(!isConsistent(earlier, size, leafHash('x'), root, steps))
        assert.ok(!isConsistent(earlier, size, earlierRoot, leafHash('x'), steps))
      }
    }),
    { numRuns: 300 },
  )
})

function bend(path: Uint8Array[], which: number, kind: number): Uint8Array[] {
  if (path.length === 0) return [leafHash('more')]
  const at = which % path.length
  if (kind % 3 === 0) return path.filter((_, place) => place !== at)
  if (kind % 3 === 1) return [...path.slice(0, at), leafHash('more'), ...path.slice(at)]
  return path.map((step, place) =>
    place === at ? step.map((byte, bit) => (bit === which % 32 ? byte ^ 1 : byte)) : step,
  )
}

test('a proof reads no more than twice the height of the tree', () => {
  const size = 5000
  const tree = openTree(leavesOf(size))
  const height = Math.ceil(Math.log2(size))
  for (let at = 1; at < size; at += 37) {
    assert.ok(tree.readsOf(() => tree.ask(inclusionPath(at, size))) <= 2 * height)
    assert.ok(tree.readsOf(() => tree.ask(consistencyPath(at, size))) <= 2 * height)
  }
})

// Computed with Python's hashlib from the definition; the eight leaves are those that the reference tests of
// Certificate Transparency use.
test('known answers', () => {
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
  const { ask } = openTree(leaves.map((leaf) => Buffer.from(leaf, 'hex')))
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  roots.forEach((root, size) => assert.equal(hex(ask(rangeHash(0, size))), root))
})
