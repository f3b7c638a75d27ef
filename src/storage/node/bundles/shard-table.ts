/** Where a short shard lies. `day`: since when it is in the trash, in days since 1970; 0 while it is not. */
export type Place = { bundle: number; at: number; length: number; day: number }

/**
 * Every short shard of a node by name, a few dozen bytes each: of millions nobody could keep objects.
 * Open addressing with linear probing in 256 tables, one for each first byte of the random names, so that growing one or
 * looking through it for a page of names never takes long.
 */
export type ShardTable = {
  get(name: string): Place | undefined
  set(name: string, place: Place): void
  delete(name: string): void
  /** A page of names behind `after` that are not in the trash, ascending. */
  namesAfter(after: string, limit: number): string[]
  /** Visits everything; the table may be changed only afterwards. */
  forEach(visit: (name: string, place: Place) => void): void
}

/** Words of a row: four of the name, bundle, place, length, day. A length of 0 is an empty row. */
const words = 8
const firstRows = 16
const fullest = 0.7
const lengthAt = 6

type Table = { rows: Uint32Array; used: number }

export function openShardTable(): ShardTable {
  const tables = Array.from({ length: 256 }, (): Table => ({ rows: new Uint32Array(firstRows * words), used: 0 }))
  const name = new Uint32Array(4)
  const readName = (text: string) => {
    for (let word = 0; word < 4; word++) name[word] = Number.parseInt(text.slice(word * 8, word * 8 + 8), 16)
    return tables[(name[0] as number) >>> 24] as Table
  }
  return {
    get(text) {
      const { rows } = readName(text)
      const row = find(rows, name)
      return rows[row + lengthAt] === 0 ? undefined : placeAt(rows, row)
    },
    set(text, { bundle, at, length, day }) {
      const table = readName(text)
      if (table.used + 1 > (table.rows.length / words) * fullest) grow(table)
      const { rows } = table
      const row = find(rows, name)
      if (rows[row + lengthAt] === 0) table.used++
      rows.set(name, row)
      rows.set([bundle, at / 8, length, day], row + 4)
    },
    delete(text) {
      const table = readName(text)
      const row = find(table.rows, name)
      if (table.rows[row + lengthAt] === 0) return
      table.used--
      closeGap(table.rows, row)
    },
    namesAfter(after, limit) {
      const names: string[] = []
      const first = /^[0-9a-f]{2}/.test(after) ? Number.parseInt(after.slice(0, 2), 16) : 0
      for (let at = first; at < 256 && names.length < limit; at++) {
        const some: string[] = []
        visitRows(tables[at] as Table, (text, { day }) => {
          if (day === 0 && text > after) some.push(text)
        })
        names.push(...some.sort().slice(0, limit - names.length))
      }
      return names
    },
    forEach(visit) {
      for (const table of tables) visitRows(table, visit)
    },
  }
}

/** @returns where the name's row is, or the empty one where it would be */
function find(rows: Uint32Array, name: Uint32Array): number {
  const mask = rows.length / words - 1
  for (let row = (name[1] as number) & mask; ; row = (row + 1) & mask) {
    const at = row * words
    if (rows[at + lengthAt] === 0) return at
    if (rows[at + 1] === name[1] && rows[at] === name[0] && rows[at + 2] === name[2] && rows[at + 3] === name[3])
      return at
  }
}

function grow(table: Table): void {
  const { rows: old } = table
  table.rows = new Uint32Array(old.length * 2)
  for (let at = 0; at < old.length; at += words) {
    if (old[at + lengthAt] === 0) continue
    const row = old.subarray(at, at + words)
    table.rows.set(row, find(table.rows, row))
  }
}

/** Moves rows up that would not be found any more behind an empty one (Knuth, volume 3, 6.4, algorithm R). */
function closeGap(rows: Uint32Array, removed: number): void {
  const count = rows.length / words
  const mask = count - 1
  let gap = removed / words
  for (let next = (gap + 1) & mask; rows[next * words + lengthAt] !== 0; next = (next + 1) & mask) {
    const home = (rows[next * words + 1] as number) & mask
    if (((next - home) & mask) < ((next - gap) & mask)) continue
    rows.copyWithin(gap * words, next * words, next * words + words)
    gap = next
  }
  rows.fill(0, gap * words, gap * words + words)
}

function visitRows({ rows }: Table, visit: (name: string, place: Place) => void): void {
  for (let at = 0; at < rows.length; at += words) {
    if (rows[at + lengthAt] === 0) continue
    let name = ''
    for (let word = at; word < at + 4; word++) name += (rows[word] as number).toString(16).padStart(8, '0')
    visit(name, placeAt(rows, at))
  }
}

function placeAt(rows: Uint32Array, row: number): Place {
  const [bundle, at, length, day] = rows.subarray(row + 4, row + words) as unknown as [number, number, number, number]
  return { bundle, at: at * 8, length, day }
}
