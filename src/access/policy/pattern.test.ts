import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matches, readPattern } from './pattern.ts'

const read = (text: string, variables = false) =>
  readPattern(text, { wildcards: true, variables }, (reason) => new Error(reason))
const nothing = () => undefined

/** The same in another way: as a regular expression. */
function expression(text: string): RegExp {
  const parts = text
    .split(/([*?])/)
    .map((part) => (part === '*' ? '[^]*' : part === '?' ? '[^]' : part.replace(/[^]/g, quoted)))
  return new RegExp(`^${parts.join('')}$`)
}
const quoted = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`

test('a pattern matches what the regular expression of the same meaning does', () => {
  const sign = fc.constantFrom('a', 'b', '/', '*', '?', '$', '.', '\u{1f600}')
  const pattern = fc.array(sign, { maxLength: 12 }).map((signs) => signs.join(''))
  const text = fc
    .array(fc.constantFrom('a', 'b', '/', '.', '\u{1f600}'), { maxLength: 16 })
    .map((signs) => signs.join(''))
  fc.assert(
    fc.property(pattern, text, (pattern, text) => {
      assert.equal(matches(read(pattern), text, nothing), expression(pattern).test(text), `${pattern} ~ ${text}`)
    }),
    { numRuns: 5000 },
  )
})

test('a pattern made of a text by opening places in it matches that text', () => {
  const text = fc.string({ maxLength: 40 }).filter((text) => !/[*?]/.test(text))
  fc.assert(
    fc.property(text, fc.nat(40), fc.nat(40), (text, a, b) => {
      const [from, to] = [Math.min(a, b, text.length), Math.min(Math.max(a, b), text.length)]
      assert.ok(matches(read(`${text.slice(0, from)}*${text.slice(to)}`), text, nothing))
    }),
  )
})

test('what is put in place of a variable stands for itself; what is not known is told apart', () => {
  const lookup = (key: string) => ({ 'aws:username': 'a*b', 'many:values': ['x', 'y'] })[key]
  const pattern = read('home/${aws:UserName}/*', true)
  assert.equal(matches(pattern, 'home/a*b/file', lookup), true)
  assert.equal(matches(pattern, 'home/axxb/file', lookup), false)
  assert.equal(matches(read('${aws:missing}', true), '', lookup), undefined)
  assert.equal(matches(read("${aws:missing, 'guest'}/x", true), 'guest/x', lookup), true)
  assert.equal(matches(read('${many:values}', true), 'x', lookup), undefined)
  assert.equal(matches(read('a${*}${?}${$}b', true), 'a*?$b', lookup), true)
  assert.equal(matches(read('a${*}b', true), 'axb', lookup), false)
  assert.equal(matches(read('${aws:username}'), '${aws:username}', lookup), true)
  for (const broken of ['${', '${a b}', '${}', '${a, b}']) assert.throws(() => read(broken, true), /variable/)
})

test('many runs of anything are decided at once', () => {
  const started = performance.now()
  assert.equal(matches(read(`${'*a'.repeat(500)}*b`), 'a'.repeat(1024), nothing), false)
  assert.equal(matches(read(`${'*a?'.repeat(300)}*b`), 'a'.repeat(1024), nothing), false)
  assert.ok(performance.now() - started < 200)
})
