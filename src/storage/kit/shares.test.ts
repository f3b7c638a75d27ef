import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { combineShares, readShare, type Share, splitSecret, times, writeShare } from './shares.ts'

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
/** Draws given bytes, so that a test knows the polynomial. */
const drawing = (...hex: string[]) => ({ bytes: () => bytesOf(hex.shift() as string) })

test('the field is the one of AES', () => {
  // FIPS 197, 4.2 and 4.2.1; the pair of inverses is the one in its text on the S-box.
  assert.equal(times(0x57, 0x83), 0xc1)
  assert.equal(times(0x57, 0x13), 0xfe)
  assert.equal(times(0x53, 0xca), 0x01)
})

test('a share is the value of the polynomial at its place', () => {
  // 53 + ca x over that field: at 1 it is 99, at 2 dc, at 3 16.
  const shares = splitSecret(drawing('ca'), '00000000', bytesOf('53'), { shares: 3, needed: 2 })
  assert.deepEqual(
    shares.map(({ at, bytes }) => [at, Buffer.from(bytes).toString('hex')]),
    [
      [1, '99'],
      [2, 'dc'],
      [3, '16'],
    ],
  )
})

const random = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('any two of three give the secret back, in any order, through their texts', () => {
  fc.assert(
    fc.property(random, random, (secret, slope) => {
      const draw = { bytes: () => slope }
      const shares = splitSecret(draw, 'c0ffee00', secret, { shares: 3, needed: 2 }).map((one) =>
        readShare(writeShare(one)),
      )
      for (const [a, b] of [
        [0, 1],
        [1, 0],
        [0, 2],
        [2, 1],
      ] as const)
        assert.deepEqual(combineShares([shares[a] as Share, shares[b] as Share]), secret)
      assert.deepEqual(combineShares(shares), secret)
    }),
  )
})

test('one share tells nothing: with it every secret is as likely as any other', () => {
  // For one byte: whatever the secret, each value of a share comes about once over all polynomials.
  for (const secret of [0, 1, 0x53, 0xff]) {
    const seen = new Set(
      Array.from({ length: 256 }, (_, slope) => {
        const [share] = splitSecret({ bytes: () => new Uint8Array([slope]) }, '00000000', new Uint8Array([secret]), {
          shares: 3,
          needed: 2,
        })
        return share?.bytes[0]
      }),
    )
    assert.equal(seen.size, 256)
  }
})

test('three of five need three', () => {
  fc.assert(
    fc.property(random, random, random, (secret, one, two) => {
      const draws = [one, two]
      const shares = splitSecret({ bytes: () => draws.shift() as Uint8Array }, '01020304', secret, {
        shares: 5,
        needed: 3,
      })
      assert.deepEqual(combineShares([shares[4], shares[0], shares[2]] as Share[]), secret)
      fc.pre(two.some((byte) => byte !== 0))
      assert.notDeepEqual(combineShares([shares[4], shares[0]] as Share[]), secret)
    }),
  )
})

const kept = writeShare({ of: 'deadbeef', at: 2, bytes: new Uint8Array(32).fill(7) })

test('a text is groups of four out of letters that a QR code holds well', () => {
  assert.match(kept, /^PELAGO(-[0-9A-Z]{4}){16,17}(-[0-9A-Z]{1,4})?$/)
})

test('how a share is typed does not matter, what is typed does', () => {
  const read = readShare(kept)
  assert.deepEqual(readShare(kept.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')), read)
  fc.assert(
    fc.property(
      fc.nat(kept.length - 8),
      fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'.split('')),
      (at, letter) => {
        const place = at + 7
        fc.pre(kept[place] !== '-' && kept[place] !== letter)
        assert.throws(() => readShare(kept.slice(0, place) + letter + kept.slice(place + 1)), { code: 'share.invalid' })
      },
    ),
  )
  for (const letter of '0123456789ABCDEFGHJKMNPQRSTVWXYZ') {
    if (!kept.endsWith(letter))
      assert.throws(() => readShare(kept.slice(0, -1) + letter), { code: 'share.invalid' }, `the last letter ${letter}`)
  }
  for (let end = 1; end < kept.length; end++)
    if (kept[end - 1] !== '-') assert.throws(() => readShare(kept.slice(0, end)), { code: 'share.invalid' })
  assert.throws(() => readShare('PELAGO-U'), { code: 'share.invalid', message: /no letter U/ })
  assert.throws(() => readShare(''), { code: 'share.invalid' })
})

test('shares of different kits, and the same one twice, are refused', () => {
  const other = { ...readShare(kept), of: 'deadbee0', at: 1 }
  assert.throws(() => combineShares([readShare(kept), other]), { code: 'share.foreign', message: /same kit/ })
  assert.throws(() => combineShares([readShare(kept), readShare(kept)]), { code: 'share.foreign', message: /twice/ })
})
