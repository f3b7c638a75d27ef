/**
 * Remembers every name that a node has ever had, a little more than two bytes each: a name that is not known was never used,
 * and nothing has to be looked for on the disk. One in some hundreds that were never used seems known all the same.
 */
export type KnownNames = {
  add(name: string): void
  has(name: string): boolean
}

/** Bits for each name, and bits that each name sets. */
const bitsEach = 16
const probes = 4
/** Names of the first filter; each further one holds twice as many. */
const firstNames = 65_536
/** At the most for one filter; behind that more and more names seem known and are looked for as if nothing was remembered. */
const longestBytes = 64 * 1024 * 1024

/** Bloom filters, each twice as large as the one before. The names are random, so their own digits choose the bits. */
export function openKnownNames(): KnownNames {
  const filters = [openFilter(firstNames)]
  return {
    add(name) {
      let last = filters[filters.length - 1] as Filter
      if (last.left <= 0 && last.bits.length < longestBytes) {
        last = openFilter((2 * last.bits.length * 8) / bitsEach)
        filters.push(last)
      }
      last.left--
      for (let probe = 0; probe < probes; probe++) {
        const bit = bitOf(name, probe, last)
        last.bits[bit >>> 3] = (last.bits[bit >>> 3] as number) | (1 << (bit & 7))
      }
    },
    has: (name) => filters.some((filter) => isIn(filter, name)),
  }
}

type Filter = { bits: Uint8Array; left: number }

const openFilter = (names: number): Filter => ({ bits: new Uint8Array((names * bitsEach) / 8), left: names })

function isIn(filter: Filter, name: string): boolean {
  for (let probe = 0; probe < probes; probe++) {
    const bit = bitOf(name, probe, filter)
    if (((filter.bits[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false
  }
  return true
}

/** @param name 32 hex digits, of which each probe takes eight */
const bitOf = (name: string, probe: number, { bits }: Filter) =>
  Number.parseInt(name.slice(probe * 8, probe * 8 + 8), 16) % (bits.length * 8)
