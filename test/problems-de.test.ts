/** The console says every error of every plane in German too. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsDe } from '../console/src/texts/problems-de.ts'
import { errorRows } from '../src/host/error-rows.ts'

const placesOf = (text: string) => new Set([...text.matchAll(/\{\w+\}/g)].map(([place]) => place))

test('every error has its German sentence, with the same places to fill', () => {
  for (const [code, { message }] of Object.entries(errorRows)) {
    const twin = problemsDe[code]
    assert.ok(twin, `${code} has no German: ${message}`)
    assert.deepEqual(placesOf(twin), placesOf(message), code)
  }
  const gone = Object.keys(problemsDe).filter((code) => !Object.hasOwn(errorRows, code))
  assert.deepEqual(gone, [], 'German for errors that there are no more')
})
