import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ChecksumAlgorithm } from '#storage'
import { checksumAlgorithms, checksumOf, combineChecksums } from './checksum.ts'

test('check values over "123456789" (catalogue of parametrised CRC algorithms; FIPS 180-4)', () => {
  const hex = (algorithm: ChecksumAlgorithm) =>
    Buffer.from(checksumOf(algorithm, Buffer.from('123456789')), 'base64').toString('hex')
  assert.equal(hex('CRC32'), 'cbf43926')
  assert.equal(hex('CRC32C'), 'e3069283')
  assert.equal(hex('CRC64NVME'), 'ae8b14860a799888')
  assert.equal(hex('SHA1'), 'f7c3bc1d808e04732adf679965ccc34ca7ae3441')
  assert.equal(hex('SHA256').slice(0, 8), '15e2b0d3')
})

test('the checksum of a whole follows from those of its parts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      (contents) => {
        for (const algorithm of checksumAlgorithms) {
          const parts = contents.map((content, at) => ({
            ...{ number: at + 1, size: content.length, etag: '', modifiedAt: 0 },
            checksum: { algorithm, value: checksumOf(algorithm, content), type: 'FULL_OBJECT' as const },
          }))
          if (!algorithm.startsWith('SHA')) {
            const whole = combineChecksums({ algorithm, type: 'FULL_OBJECT' }, parts)
            assert.equal(whole?.value, checksumOf(algorithm, Buffer.concat(contents)))
          }
          const composite = combineChecksums({ algorithm, type: 'COMPOSITE' }, parts)
          const raw = Buffer.concat(contents.map((content) => Buffer.from(checksumOf(algorithm, content), 'base64')))
          assert.equal(composite?.value, `${checksumOf(algorithm, raw)}-${contents.length}`)
        }
      },
    ),
  )
})

test('without a part’s checksum there is none of the whole', () => {
  const part = { number: 1, size: 1, etag: '', modifiedAt: 0 }
  assert.equal(combineChecksums({ algorithm: 'CRC32', type: 'COMPOSITE' }, [part]), undefined)
})
