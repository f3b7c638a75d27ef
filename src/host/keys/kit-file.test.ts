import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasCode } from '#kernel'
import { type KitContent, makeKit, openKit } from './kit-file.ts'
import { freshRoot } from './root-file.ts'

function contentWith(roots: number): KitContent {
  const rootKeys = Array.from({ length: roots }, (_, at) => freshRoot(at)).map(({ key, ...root }) => ({
    ...root,
    key: Buffer.from(key).toString('hex'),
  }))
  return {
    version: 1,
    madeAt: 1_790_000_000_000,
    gateway: 'gateway',
    root: rootKeys.at(-1)?.id ?? 'v3',
    rootKeys,
    ...(roots === 0 && { transit: { url: 'https://bao.example', mount: 'transit', key: 'pelago' } }),
    federation: { url: 'https://federation.example', publicKey: '0'.repeat(64) },
    files: [{ name: 'gateway/key.pem', was: '/var/lib/pelago/gateway/key.pem', holds: 'a key\n' }],
    epochs: [{ scope: 'b'.repeat(32), epoch: 1, root: 'r', wrapped: randomBytes(92).toString('hex'), since: 7 }],
    proof: randomBytes(32).toString('hex'),
  }
}
const content = contentWith(2)
const { id, texts } = makeKit(content)
const at = (...which: number[]) => which.map((one) => ({ file: `${one}.txt`, text: texts[one - 1] as string }))
const shareIn = (text: string) => /--- share ---\n([^]+)\n--- end of the share/.exec(text)?.[1] as string
const typed = (which: number) => ({ file: 'typed', text: shareIn(texts[which - 1] as string) })

test('any two of three files give everything back, in any order; of one of them the share is enough', () => {
  for (const pair of [
    [1, 2],
    [2, 1],
    [1, 3],
    [3, 2],
  ])
    assert.deepEqual(openKit(at(...pair)), { id, content })
  assert.deepEqual(openKit(at(1, 2, 3)), { id, content })
  assert.deepEqual(openKit([...at(1), typed(3)]), { id, content })
  const poorly = { file: 'typed', text: `# typed on a Monday\n ${typed(2).text.toLowerCase().replaceAll('-', ' ')}\n` }
  assert.deepEqual(openKit([poorly, ...at(1)]), { id, content })
})

test('one file, the same one twice, shares without a whole file and files of two kits are refused in words', () => {
  assert.throws(() => openKit(at(1)), { code: 'kit.unopened', message: /two of its files are needed/ })
  assert.throws(() => openKit(at(1, 1)), { code: 'share.foreign', message: /twice/ })
  assert.throws(() => openKit([...at(2), typed(2)]), { code: 'share.foreign', message: /twice/ })
  assert.throws(() => openKit([typed(1), typed(2)]), { code: 'kit.unopened', message: /whole/ })
  const other = makeKit(content).texts.map((text, which) => ({ file: `other ${which}`, text }))
  assert.throws(() => openKit([...at(1), other[1] as (typeof other)[number]]), { code: 'kit.mixed', message: /words/ })
  const shareOfOther = { file: 'typed', text: shareIn(other[1]?.text as string) }
  assert.throws(() => openKit([...at(1), shareOfOther]), { code: 'kit.mixed' })
  assert.throws(() => openKit([...at(1), { file: 'x', text: 'x'.repeat(5000) }]), { code: 'kit.altered' })
})

test('every single byte that is another one is found', () => {
  const [first, second] = at(1, 2) as [{ file: string; text: string }, { file: string; text: string }]
  const bytes = Buffer.from(second.text)
  for (let place = 0; place < bytes.length; place++) {
    const bent = Buffer.from(bytes)
    bent[place] = (bent[place] as number) ^ (1 << (place % 7))
    assert.throws(
      () => openKit([first, { file: 'bent', text: bent.toString() }]),
      (error) => hasCode(error, 'kit.altered', 'share.invalid'),
      `byte ${place}`,
    )
  }
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 127 }), (place, bits) => {
      const bent = Buffer.from(bytes)
      bent[place] = (bent[place] as number) ^ bits
      assert.throws(() => openKit([first, { file: 'bent', text: bent.toString() }]))
      assert.throws(() => openKit([first, { file: 'short', text: second.text.slice(0, place) }]))
    }),
  )
})

test('the words are the same in all three files, and others in another kit', () => {
  const words = (text: string) => /^Words +(\S+ \S+ \S+)$/m.exec(text)?.[1]
  assert.match(words(texts[0] as string) ?? '', /^[a-z]{5} [a-z]{5} [a-z]{5}$/)
  assert.equal(new Set(texts.map(words)).size, 1)
  assert.notEqual(words(texts[0] as string), words(makeKit(content).texts[0] as string))
})

test('nothing of the secrets stands in a file in the clear, and a transit kit says what it does not hold', () => {
  for (const text of texts) {
    for (const secret of [...content.rootKeys.map(({ key }) => key), content.proof, 'a key'])
      assert.ok(!text.includes(secret) && !text.includes(Buffer.from(secret).toString('base64').slice(0, -4)))
    assert.doesNotMatch(text, /THE ROOT KEY IS NOT/)
  }
  const away = makeKit(contentWith(0))
  assert.match(away.texts[0] as string, /THE ROOT KEY IS NOT IN THIS KIT/)
  assert.match(away.texts[0] as string, /v3 of transit\/keys\/pelago at https:\/\/bao.example/)
  const [one, two] = away.texts.map((text, which) => ({ file: `${which}`, text }))
  assert.deepEqual(openKit([one, two] as NonNullable<typeof one>[]).content.rootKeys, [])
})
