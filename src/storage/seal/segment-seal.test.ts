import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { openSegmentSeal, openSegmentTags, shardHeader } from './segment-seal.ts'
import { cellBytes, cellOffset, cellOverhead, fullCellBytes, locate, segmentShape } from './shape.ts'

const keys = {
  segment: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
  data: Buffer.alloc(32, 0x11),
  integrity: Buffer.alloc(32, 0x22),
}

test('shapes cover every byte once, in order, and shards are as long as their cells', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 * 4 * fullCellBytes }), fc.integer({ min: 1, max: 6 }), (size, k) => {
      const shape = segmentShape(size, k, 2)
      const last = locate(shape, size - 1)
      assert.equal(last.row, shape.rows - 1)
      assert.ok(last.shard < k)
      assert.ok(last.within < cellBytes(shape, last.row))
      assert.equal(shape.lastCellBytes % 4096, 0)
      assert.equal(shape.shardBytes, cellOffset(shape, last.row) + shape.lastCellBytes + cellOverhead)
      for (const offset of [0, Math.floor(size / 2), size - 1]) {
        const { row, shard, within } = locate(shape, offset)
        assert.equal(row * k * fullCellBytes + shard * cellBytes(shape, row) + within, offset)
      }
    }),
  )
  assert.throws(() => segmentShape(0, 4, 2), RangeError)
})

test('what was sealed opens, at its place only', () => {
  const shape = segmentShape(4 * fullCellBytes + 5000, 4, 2)
  const seal = openSegmentSeal(shape, 'acme', keys)
  const plain = Buffer.alloc(fullCellBytes, 7)
  const cell = seal.seal(0, 3, plain)
  assert.equal(cell.length, fullCellBytes + cellOverhead)
  assert.deepEqual(Buffer.from(seal.open(0, 3, cell)), plain)
  assert.throws(() => seal.open(0, 2, cell), { code: 'shard.corrupt' })
  const elsewhere = [
    openSegmentSeal(shape, 'other', keys),
    openSegmentSeal(shape, 'acme', { ...keys, segment: Buffer.alloc(16) }),
    openSegmentSeal(shape, 'acme', { ...keys, data: Buffer.alloc(32) }),
  ]
  for (const foreign of elsewhere) assert.throws(() => foreign.open(0, 3, cell), { code: 'shard.corrupt' })
})

test('short plaintext is filled up with zeros', () => {
  const shape = segmentShape(5, 4, 2)
  const seal = openSegmentSeal(shape, 'acme', keys)
  const opened = seal.open(0, 0, seal.seal(0, 0, Buffer.from('hello')))
  assert.equal(opened.length, 4096)
  assert.equal(Buffer.from(opened.subarray(0, 5)).toString(), 'hello')
  assert.ok(opened.subarray(5).every((byte) => byte === 0))
  assert.equal(seal.open(0, 3, seal.seal(0, 3, new Uint8Array(0))).length, 4096)
})

test('a single flipped bit, another place, another length: the tag does not match', () => {
  const shape = segmentShape(40_000, 4, 2)
  const tags = openSegmentTags(shape, keys)
  const cell = Buffer.alloc(cellBytes(shape, 0) + cellOverhead, 3)
  tags.tag(0, 5, cell)
  assert.ok(tags.verify(0, 5, cell))
  assert.ok(!tags.verify(0, 4, cell))
  assert.ok(!tags.verify(0, 5, cell.subarray(1)))
  fc.assert(
    fc.property(fc.integer({ min: 0, max: cell.length * 8 - 1 }), (bit) => {
      const bent = Buffer.from(cell)
      bent[bit >> 3] = (bent[bit >> 3] as number) ^ (1 << (bit & 7))
      assert.ok(!tags.verify(0, 5, bent))
    }),
  )
})

test('the vectors of docs/formats/segment.md', () => {
  const shape = segmentShape(11, 1, 0)
  const seal = openSegmentSeal(shape, 'acme', keys)
  const cell = seal.seal(0, 0, Buffer.from('hello world'))
  openSegmentTags(shape, keys).tag(0, 0, cell)
  const file = Buffer.concat([shardHeader(), cell])
  assert.equal(shape.shardBytes, file.length)
  assert.equal(file.subarray(0, 16).toString('hex'), '50454c41474f0d0a0001004000000000')
  assert.equal(
    createHash('sha256').update(file).digest('hex'),
    'e7c25fbbb8bbe4a60e68160b419984a0e8d45398aeebfba706dc90c4e5156a38',
  )
})
