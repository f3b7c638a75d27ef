import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openCoders } from './coder.ts'
import { multiply, parityRows } from './field.ts'

const offload = { compile: (wasm: Uint8Array<ArrayBuffer>) => WebAssembly.compile(wasm) }
const coders = openCoders(offload)
const codes = [
  [4, 2],
  [2, 1],
  [6, 3],
  [3, 2],
  [2, 2],
  [1, 2],
  [1, 1],
  [1, 0],
] as const

function bytes(length: number, seed: number): Uint8Array {
  let state = seed
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

/** The code as its definition has it, byte by byte. */
function plainParity(data: Uint8Array[], m: number, length: number): Uint8Array[] {
  return parityRows(data.length, m).map((row) =>
    Uint8Array.from({ length }, (_, at) =>
      row.reduce((sum, factor, column) => sum ^ multiply(factor, (data[column] as Uint8Array)[at] as number), 0),
    ),
  )
}

/** All choices of `size` numbers below `of`. */
function choices(of: number, size: number, from = 0): number[][] {
  if (size === 0) return [[]]
  return Array.from({ length: of - from }, (_, at) => from + at).flatMap((first) =>
    choices(of, size - 1, first + 1).map((rest) => [first, ...rest]),
  )
}

for (const [k, m] of codes) {
  test(`${k}+${m}: parity is what the definition says, at any length`, async () => {
    const coder = await coders.coder(k, m)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.integer(), (blocks, seed) => {
        const length = blocks * 16
        const data = Array.from({ length: k }, (_, at) => bytes(length, seed + at))
        const parity = Array.from({ length: m }, () => new Uint8Array(length))
        coder.encode(data, parity, length)
        assert.deepEqual(parity, plainParity(data, m, length))
      }),
      { numRuns: 20 },
    )
  })

  test(`${k}+${m}: every k shards give back every other`, async () => {
    const coder = await coders.coder(k, m)
    const length = 4096 + 16
    const data = Array.from({ length: k }, (_, at) => bytes(length, 7 * at + 1))
    const all = [...data, ...plainParity(data, m, length)]
    for (const present of choices(k + m, k)) {
      const lost = all.map((_, shard) => shard).filter((shard) => !present.includes(shard))
      const made = lost.map((shard) => ({ shard, bytes: new Uint8Array(length) }))
      coder.rebuild(
        present.map((shard) => ({ shard, bytes: all[shard] as Uint8Array })),
        made,
        length,
      )
      for (const { shard, bytes } of made)
        assert.deepEqual(bytes, all[shard], `shard ${shard} out of ${present.join()}`)
    }
  })
}

for (const relaxed of [true, false]) {
  test(`cells of many strips are coded and rebuilt ${relaxed ? 'with' : 'without'} relaxed SIMD`, async () => {
    const coder = await openCoders(offload, relaxed).coder(4, 2)
    const length = 128 * 1024 + 16
    const data = Array.from({ length: 4 }, (_, at) => bytes(length + 16, at))
    const expected = plainParity(data, 2, length)
    const parity = Array.from({ length: 2 }, () => new Uint8Array(length + 16))
    coder.encode(data, parity, length)
    for (const [row, cell] of parity.entries()) {
      assert.ok(Buffer.from(expected[row] as Uint8Array).equals(cell.subarray(0, length)), `parity ${row}`)
      assert.deepEqual(cell.subarray(length), new Uint8Array(16), 'what lies behind the length is left alone')
    }
    const all = [...data, ...parity]
    for (const lost of choices(6, 2)) {
      const made = lost.map((shard) => ({ shard, bytes: new Uint8Array(length + 16) }))
      const present = all.map((cell, shard) => ({ shard, bytes: cell })).filter(({ shard }) => !lost.includes(shard))
      coder.rebuild(present, made, length)
      for (const cell of made) {
        const was = (all[cell.shard] as Uint8Array).subarray(0, length)
        assert.ok(Buffer.from(was).equals(cell.bytes.subarray(0, length)), `shard ${cell.shard} of ${lost.join()}`)
      }
    }
  })
}

test('the first row and the first column of the parity matrix are ones', () => {
  const rows = parityRows(6, 3)
  assert.deepEqual(rows[0], [1, 1, 1, 1, 1, 1])
  for (const row of rows) assert.equal(row[0], 1)
})

test('buffers that do not fit are refused', async () => {
  const coder = await coders.coder(2, 1)
  assert.throws(() => coder.encode([new Uint8Array(16)], [new Uint8Array(16)], 16), RangeError)
  assert.throws(() => coder.encode([new Uint8Array(16), new Uint8Array(16)], [new Uint8Array(16)], 15), RangeError)
  assert.throws(() => coder.encode([new Uint8Array(32), new Uint8Array(16)], [new Uint8Array(32)], 32), RangeError)
  const present = [0, 1].map((shard) => ({ shard, bytes: new Uint8Array(16) }))
  assert.throws(() => coder.rebuild(present.slice(1), [{ shard: 2, bytes: new Uint8Array(16) }], 16), RangeError)
  assert.throws(() => coder.rebuild(present, [{ shard: 2, bytes: new Uint8Array(0) }], 16), RangeError)
})
