import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { openSealed, sealedBytes, sealedSpan, sealObject } from './object-seal.ts'

const seal = { tenant: 'tenant', id: randomBytes(16), key: randomBytes(32) }
const sizes = [1, 1000, 128 * 1024, 128 * 1024 + 1, 300_000]

test('what was sealed opens again, and any stretch of it out of the frames that hold it', () => {
  for (const size of sizes) {
    const plaintext = randomBytes(size)
    const sealed = sealObject(seal, plaintext)
    assert.equal(sealed.length, sealedBytes(size))
    assert.deepEqual(Buffer.from(openSealed(seal, size, sealed, 0)), plaintext)
    for (const [first, last] of [
      [0, 0],
      [size - 1, size - 1],
      [Math.floor(size / 2), size - 1],
    ] as const) {
      const { from, to, start } = sealedSpan(size, first, last)
      const opened = openSealed(seal, size, sealed.subarray(from, to), start)
      assert.deepEqual(
        Buffer.from(opened.subarray(first - start, last - start + 1)),
        plaintext.subarray(first, last + 1),
      )
    }
  }
})

test('a changed bit, another tenant, another object, a frame in another place: none opens', () => {
  const size = 300_000
  const sealed = Buffer.from(sealObject(seal, randomBytes(size)))
  const refused = (other: Partial<typeof seal>, bytes: Uint8Array, length = size, start = 0) =>
    assert.throws(() => openSealed({ ...seal, ...other }, length, bytes, start), { code: 'object.damaged' })
  const changed = Buffer.from(sealed)
  changed[5] = (changed[5] as number) ^ 1
  refused({}, changed)
  refused({ tenant: 'other' }, sealed)
  refused({ id: randomBytes(16) }, sealed)
  refused({ key: randomBytes(32) }, sealed)
  const stride = 128 * 1024 + 16
  refused(
    {},
    Buffer.concat([sealed.subarray(stride, 2 * stride), sealed.subarray(0, stride), sealed.subarray(2 * stride)]),
  )
  // The first frame alone is not the object, though it is a frame of it.
  refused({}, sealed.subarray(0, stride), 128 * 1024)
})
