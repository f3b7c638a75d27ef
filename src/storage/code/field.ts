/**
 * Arithmetic in GF(2^8) with the polynomial x^8+x^4+x^3+x^2+1 (0x11d), and the matrices of the code over it.
 * Source: J. Blömer et al., "An XOR-Based Erasure-Resilient Coding Scheme", 1995 (Cauchy matrices).
 */

const exp = new Uint8Array(510)
const log = new Uint8Array(256)
for (let power = 0, value = 1; power < 255; power++) {
  exp[power] = value
  exp[power + 255] = value
  log[value] = power
  value = value << 1
  if (value > 255) value ^= 0x11d
}

/** Product of two elements. */
export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : (exp[(log[a] as number) + (log[b] as number)] as number)
}

/** Quotient of two elements; the divisor must not be zero. */
export function divide(a: number, b: number): number {
  return a === 0 ? 0 : (exp[(log[a] as number) + 255 - (log[b] as number)] as number)
}

export type Matrix = number[][]

/**
 * The m parity rows over k data columns: a Cauchy matrix with first row and first column made ones. Every square part of
 * it is invertible, so any k of the k+m shards give back all.
 * @param k,m at least 1 and 0; together at most 256
 */
export function parityRows(k: number, m: number): Matrix {
  const cauchy = Array.from({ length: m }, (_, row) =>
    Array.from({ length: k }, (_, column) => divide(1, (k + row) ^ column)),
  )
  const first = cauchy[0]
  if (!first) return []
  return cauchy.map((row) => {
    const scaled = row.map((value, column) => divide(value, first[column] as number))
    return scaled.map((value) => divide(value, scaled[0] as number))
  })
}

/**
 * How the wanted shards follow from k present ones.
 * @param present,wanted shard numbers; the first k numbers are data
 * @returns one row of k factors for each wanted shard
 */
export function rebuildRows(k: number, m: number, present: readonly number[], wanted: readonly number[]): Matrix {
  const parity = parityRows(k, m)
  const rowOf = (shard: number) => (shard < k ? unit(k, shard) : (parity[shard - k] as number[]))
  const inverse = invert(present.map((shard) => [...rowOf(shard)]))
  return wanted.map((shard) => {
    const row = rowOf(shard)
    return Array.from({ length: k }, (_, column) =>
      row.reduce((sum, factor, at) => sum ^ multiply(factor, (inverse[at] as number[])[column] as number), 0),
    )
  })
}

const unit = (size: number, at: number) => Array.from({ length: size }, (_, column) => (column === at ? 1 : 0))

/** Gauss and Jordan. @throws RangeError for a singular matrix, which no choice of k distinct shards gives */
function invert(matrix: Matrix): Matrix {
  const size = matrix.length
  const work = matrix.map((row, at) => [...row, ...unit(size, at)])
  for (let column = 0; column < size; column++) {
    const pivot = work.findIndex((row, at) => at >= column && row[column] !== 0)
    if (pivot === -1) throw new RangeError('the same shard was given twice')
    const [row] = work.splice(pivot, 1)
    const scaled = (row as number[]).map((value) => divide(value, (row as number[])[column] as number))
    work.splice(column, 0, scaled)
    work.forEach((other, at) => {
      const factor = other[column] as number
      if (at === column || factor === 0) return
      work[at] = other.map((value, index) => value ^ multiply(factor, scaled[index] as number))
    })
  }
  return work.map((row) => row.slice(size))
}
