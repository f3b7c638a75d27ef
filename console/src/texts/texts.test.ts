import assert from 'node:assert/strict'
import { test } from 'node:test'
import { de } from './de.ts'
import { en } from './en.ts'

/** Every text with its path. */
function* walked(texts: object, path = ''): Generator<[path: string, text: string]> {
  for (const [name, value] of Object.entries(texts) as [string, unknown][]) {
    if (typeof value === 'string') yield [`${path}${name}`, value]
    else if (typeof value === 'object' && value !== null) yield* walked(value, `${path}${name}.`)
  }
}
const placesOf = (text: string, form: RegExp) => [...text.matchAll(form)].map(([place]) => place).toSorted()

test('English and German say the same things, with the same places to fill', () => {
  const german = new Map(walked(de))
  for (const [path, text] of walked(en)) {
    const twin = german.get(path)
    assert.ok(twin, `${path} has no German`)
    german.delete(path)
    const form = /\{\{\w+\}\}/g
    // A singular may write its one as a word.
    const but = (places: string[]) => places.filter((place) => place !== '{{count}}')
    assert.deepEqual(but(placesOf(twin, form)), but(placesOf(text, form)), path)
  }
  assert.deepEqual([...german.keys()], [], 'German that no English stands for')
})
