import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cbor, type CborValue } from '../../../test/tools/authenticator.ts'
import { cborOf, readAuthenticatorData } from './authenticator-data.ts'
import { readCbor } from './cbor.ts'
import { judgeRegistration } from './judge-passkey.ts'
import { readPasskeyKey } from './passkey-key.ts'

const leaf = fc.oneof(
  fc.integer({ min: -65_536, max: 65_535 }),
  fc.string({ maxLength: 300, unit: 'grapheme' }).filter((text) => text.isWellFormed()),
  fc.boolean(),
  fc.uint8Array({ maxLength: 300 }),
)
const key = fc.oneof(fc.integer({ min: -300, max: 300 }), fc.string({ maxLength: 8, unit: 'grapheme-ascii' }))
const maps = (of: fc.Arbitrary<CborValue>) =>
  fc.array(fc.tuple(key, of), { maxLength: 20 }).map((entries): CborValue => new Map(entries))
const value = fc.oneof(leaf, maps(leaf), maps(fc.oneof(leaf, maps(leaf))))

test('what is written as CBOR is read as it was, to the last byte', () => {
  fc.assert(
    fc.property(value, fc.uint8Array({ maxLength: 4 }), (written, behind) => {
      const bytes = cbor(written)
      const read = readCbor(Buffer.concat([bytes, behind]))
      assert.equal(read.length, bytes.length)
      assert.deepEqual(plain(read.value), plain(written))
    }),
  )
})
const plain = (of: unknown): unknown =>
  of instanceof Map
    ? [...of].map(([name, part]) => [name, plain(part)])
    : of instanceof Uint8Array
      ? Buffer.from(of).toString('hex')
      : of

const strange: [what: string, hex: string][] = [
  ['nothing', ''],
  ['a number longer than needed', '1801'],
  ['a length longer than needed', '190001'],
  ['a length of eight bytes', '1b0000000000000001'],
  ['an endless text', '7f6161ff'],
  ['an endless map', 'bfff'],
  ['a tag', 'c000'],
  ['a float', 'f93c00'],
  ['undefined', 'f7'],
  ['a text that is no UTF-8', '61ff'],
  ['a key twice', 'a201010102'],
  ['a key that is bytes', 'a1410101'],
  ['a text that ends too soon', '6261'],
  ['a map that ends too soon', 'a101'],
  ['more than anybody sends', '9a00010000'],
  ['depth', '818181818181818100'],
]
for (const [what, hex] of strange)
  test(`CBOR with ${what} is refused`, () =>
    assert.throws(() => cborOf(Buffer.from(hex, 'hex')), { code: 'passkey.malformed' }))

test('whatever bytes come, they are read or refused with a code of ours', () => {
  const ours = (act: () => unknown) => {
    try {
      act()
    } catch (error) {
      assert.match(String((error as { code?: string }).code), /^passkey\./, String(error))
    }
  }
  const expected = { challenge: 'x', origins: ['https://a.example'], rp: 'a.example' }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), maps(leaf), (bytes, map) => {
      ours(() => cborOf(bytes))
      ours(() => readAuthenticatorData(bytes, 'a.example'))
      ours(() => readPasskeyKey(map))
      const text = Buffer.from(bytes).toString('base64url')
      ours(() => judgeRegistration({ id: 'x', clientData: text, attestation: text }, expected))
    }),
    { numRuns: 500 },
  )
})
