import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { columnBytes, columnOf, columnSpan, cellBytes, cellOffset } from '../seal/shape.ts'
import { contentOf } from '../write/encode-row.ts'
import { fillPack, layoutPack, piecesOf, type SlotPlace } from './layout.ts'

const sizes = fc.array(fc.oneof(fc.integer({ min: 17, max: 3000 }), fc.integer({ min: 17, max: 700_000 })), {
  minLength: 1,
  maxLength: 12,
})
const codes = fc.constantFrom({ k: 4, m: 2 }, { k: 1, m: 2 }, { k: 2, m: 1 }, { k: 6, m: 3 })

/** The file of one data shard as a provider holds it, with overhead that must never be taken for content. */
function fileOf(shape: ReturnType<typeof layoutPack>['shape'], bytes: Uint8Array, shard: number): Buffer {
  const file = Buffer.alloc(shape.shardBytes, 0xee)
  for (let row = 0; row < shape.rows; row++) {
    const cell = Buffer.alloc(cellBytes(shape, row))
    cell.set(contentOf(shape, bytes, row, shard))
    file.set(cell, cellOffset(shape, row))
  }
  return file
}

test('every object comes back out of the files that its pack makes, whole and in stretches', () => {
  fc.assert(
    fc.property(sizes, codes, fc.constantFrom(1, 0.2), fc.nat(), fc.nat(), (lengths, { k, m }, share, a, b) => {
      const objects = lengths.map((length, at) => Buffer.alloc(length).map((_, byte) => (byte * 7 + at * 31) & 0xff))
      const layout = layoutPack(lengths, k, m, share)
      const bytes = new Uint8Array(layout.shape.size)
      fillPack(layout, objects, bytes)
      const files = Array.from({ length: k }, (_, shard) => fileOf(layout.shape, bytes, shard))
      objects.forEach((object, at) => {
        const [from, to] = [
          Math.min(a % object.length, b % object.length),
          Math.max(a % object.length, b % object.length) + 1,
        ]
        const pieces = piecesOf(layout.places[at] as SlotPlace, object.length, k, from, to)
        const got = pieces.map((piece) => {
          const end = piece.start + piece.to - piece.from
          assert.ok(end <= columnBytes(layout.shape))
          const span = columnSpan(piece.start, end)
          const read = (files[piece.shard] as Buffer).subarray(span.offset, span.offset + span.length)
          return columnOf(read, piece.start, end)
        })
        assert.deepEqual(Buffer.concat(got), object.subarray(from, to))
      })
    }),
    { numRuns: 60 },
  )
})

test('no column is much longer than the even share', () => {
  fc.assert(
    fc.property(sizes, codes, (lengths, { k, m }) => {
      const even = lengths.reduce((sum, length) => sum + length, 0) / k
      const column = columnBytes(layoutPack(lengths, k, m, 1).shape)
      assert.ok(column <= even + Math.max(16 * 1024, even / 8) + lengths.length + 4096)
    }),
  )
})

test('an object is whole at one provider unless the policy wants it spread', () => {
  assert.equal(layoutPack([1040], 4, 2, 0.5).places[0]?.shard, 0)
  assert.equal(layoutPack([1040], 4, 2, 0.3).places[0]?.shard, undefined)
  const spread = piecesOf({ shard: undefined, start: 0 }, 1040, 4, 0, 1040)
  assert.deepEqual(
    spread.map(({ shard }) => shard),
    [0, 1, 2, 3],
  )
})
