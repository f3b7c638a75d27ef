import type { Verb } from './job.ts'

export const kib = 1024
export const mib = 1024 * kib
export const gib = 1024 * mib

export type State = 'healthy' | 'dead' | 'slow'

/** One load that is measured: what is asked, of which size, by how many at once, of what. */
export type Cell = {
  verb: Verb | 'MIXED'
  size: number
  atOnce: number
  /** With a fault every round is measured twice, without and with it. */
  state: State
  /** With a link of its own before each provider. */
  wan: boolean
  /** Objects that nobody has read before, and a page cache that was emptied. */
  cold: boolean
}

export const verbs = ['PUT', 'GET', 'RANGE', 'HEAD', 'LIST', 'MIXED'] as const
const sizes = [kib, 16 * kib, mib, 8 * mib, 64 * mib]
const concurrencies = [1, 16, 64, 256]
/** More than this under way at once is a test of memory and not of speed. */
const underWayMost = gib
/** A range of 64 KiB needs an object that is larger. */
const rangedLeast = mib

const plain = { state: 'healthy', wan: false, cold: false } as const

/** What the targets need, and objects of 1 MiB. */
export const targetCells: Cell[] = [
  { verb: 'PUT', size: 64 * mib, atOnce: 2, ...plain },
  { verb: 'GET', size: 64 * mib, atOnce: 2, ...plain },
  { verb: 'PUT', size: mib, atOnce: 16, ...plain },
  { verb: 'GET', size: mib, atOnce: 16, ...plain },
  { verb: 'PUT', size: kib, atOnce: 64, ...plain },
  { verb: 'GET', size: kib, atOnce: 64, ...plain },
  { verb: 'GET', size: 64 * mib, atOnce: 2, ...plain, state: 'dead' },
  { verb: 'GET', size: mib, atOnce: 16, ...plain, state: 'dead' },
  { verb: 'GET', size: mib, atOnce: 1, ...plain, state: 'slow' },
  { verb: 'GET', size: mib, atOnce: 16, ...plain, state: 'slow' },
  { verb: 'PUT', size: kib, atOnce: 1, ...plain, wan: true },
  { verb: 'PUT', size: 64 * mib, atOnce: 4, ...plain, wan: true },
]

export type Matrix = {
  verbs: readonly Cell['verb'][]
  sizes: readonly number[]
  concurrency: readonly number[]
  states: readonly State[]
  wan: readonly boolean[]
  cold: readonly boolean[]
}

/** Every size, verb and state, and the object of 5 GiB; faults and links are not crossed with each other. */
export function fullCells(): Cell[] {
  const matrix: Matrix = {
    verbs,
    sizes,
    concurrency: concurrencies,
    states: ['healthy', 'dead', 'slow'],
    wan: [false],
    cold: [false, true],
  }
  const large = {
    ...matrix,
    verbs: ['PUT', 'GET', 'RANGE'] as const,
    sizes: [5 * gib],
    concurrency: [1],
    cold: [false],
  }
  return unique([
    ...targetCells,
    ...cellsOf(matrix),
    ...cellsOf({ ...matrix, states: ['healthy'], wan: [true], cold: [false] }),
    ...cellsOf({ ...large, states: ['healthy'] }),
  ])
}

/** All combinations that make sense, in an order that starts as few federations as can be. */
export function cellsOf(matrix: Matrix): Cell[] {
  const cells: Cell[] = []
  for (const wan of matrix.wan)
    for (const state of matrix.states)
      for (const cold of matrix.cold)
        for (const size of matrix.sizes)
          for (const atOnce of matrix.concurrency)
            for (const verb of matrix.verbs) {
              const cell = { verb, size: sizeFor(verb, size), atOnce, state, wan, cold }
              if (isSensible(cell)) cells.push(cell)
            }
  return unique(cells)
}

/** HEAD and LIST do not depend on the size of objects. */
const sizeFor = (verb: Cell['verb'], size: number) => (verb === 'HEAD' || verb === 'LIST' ? kib : size)

function isSensible({ verb, size, atOnce, state, wan, cold }: Cell): boolean {
  if (size < gib && size * atOnce > underWayMost) return false
  if (size >= gib && atOnce > 1) return false
  if (verb === 'RANGE' && size < rangedLeast) return false
  if (cold && (verb === 'PUT' || verb === 'LIST' || verb === 'MIXED' || state !== 'healthy' || wan)) return false
  return !(wan && state !== 'healthy')
}

function unique(cells: Cell[]): Cell[] {
  return [...new Map(cells.map((cell) => [nameOf(cell), cell])).values()].sort((a, b) => houseOf(a) - houseOf(b))
}

/** Which federation a cell is measured in: plain, with a relay before one provider, with links before all. */
export const houseOf = ({ state, wan }: Cell): 0 | 1 | 2 => (wan ? 2 : state === 'slow' ? 1 : 0)

export const sizeName = (size: number) =>
  size >= gib ? `${size / gib} GiB` : size >= mib ? `${size / mib} MiB` : `${size / kib} KiB`

export function nameOf({ verb, size, atOnce, state, wan, cold }: Cell): string {
  const what = verb === 'HEAD' || verb === 'LIST' ? verb : `${verb} ${sizeName(size)}`
  const how = [`${atOnce} at once`]
  if (state !== 'healthy') how.push(state === 'dead' ? 'one provider dead' : 'one provider 10 times slower')
  if (wan) how.push('WAN')
  if (cold) how.push('cold')
  return `${what}, ${how.join(', ')}`
}
