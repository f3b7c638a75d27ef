import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openCache } from './cache.ts'

test('what was used last stays, within the bound', () => {
  const cache = openCache<string>(6, (text) => text.length)
  cache.set('a', 'aa')
  cache.set('b', 'bb')
  cache.set('c', 'cc')
  assert.equal(cache.get('a'), 'aa')
  cache.set('d', 'dd')
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((id) => cache.get(id)),
    ['aa', undefined, 'cc', 'dd'],
  )
  assert.equal(cache.weight(), 6)
  cache.set('d', 'dddd')
  assert.ok(cache.weight() <= 6)
  assert.equal(cache.get('d'), 'dddd')
  cache.set('e', 'too long for it')
  assert.equal(cache.get('e'), undefined)
  cache.delete('d')
  assert.equal(cache.get('d'), undefined)
})

test('a bound of nothing keeps nothing', () => {
  const cache = openCache<string>(0, (text) => text.length)
  cache.set('a', 'a')
  assert.equal(cache.get('a'), undefined)
  assert.equal(cache.weight(), 0)
})
