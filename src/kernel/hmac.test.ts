import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { hmacHex, hmacKey, hmacOf } from './hmac.ts'

test('test case 1 of RFC 4231, with its key filled up to 32 bytes, which changes nothing', () => {
  const key = Buffer.concat([Buffer.alloc(20, 0x0b), Buffer.alloc(12)])
  assert.equal(hmacHex(hmacKey(key), 'Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7')
})

test('texts of every length and kind are signed as Node does it, keys taking turns', () => {
  const raw = [randomBytes(32), randomBytes(32)] as const
  const keys = [hmacKey(raw[0]), hmacKey(raw[1])] as const
  const texts = [
    '',
    'a',
    '\xe9 \u4e2d \u{1f600}',
    ...[63, 64, 1000, 1365, 1366, 5000].map((length) => '\u20ac'.repeat(length)),
  ]
  for (const text of texts) {
    for (const at of [0, 1] as const) {
      assert.equal(hmacHex(keys[at], text), createHmac('sha256', raw[at]).update(text).digest('hex'), `${text.length}`)
    }
  }
})

test('a word and bytes are signed as Node signs them one behind the other, also where they are long', () => {
  const raw = randomBytes(32)
  for (const length of [0, 1, 16, 63, 64, 4000, 5000]) {
    const bytes = randomBytes(length)
    const right = createHmac('sha256', raw).update('pelago \xe9').update(bytes).digest('hex')
    assert.equal(Buffer.from(hmacOf(hmacKey(raw), 'pelago \xe9', bytes)).toString('hex'), right, `${length} bytes`)
  }
})
