import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openShardTable, type Place } from './shard-table.ts'

/** Few names that share their first byte, and the digits that choose a row, so that rows collide. */
const name = fc.tuple(fc.nat(1), fc.nat(40), fc.nat(3)).map(([table, row, rest]) => {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  return `a${table}${hex(rest, 6)}${hex(row % 5, 8)}${hex(row, 16)}`
})
const plain = { noNullPrototype: true }
const place = fc.record(
  {
    bundle: fc.nat(9),
    at: fc.nat(1000).map((at) => at * 8),
    length: fc.integer({ min: 1, max: 65_536 }),
    day: fc.nat(1),
  },
  plain,
)
const deed = fc.oneof(
  { weight: 3, arbitrary: fc.record({ name, place }, plain) },
  { weight: 2, arbitrary: fc.record({ name, place: fc.constant(undefined) }, plain) },
)

test('a table of shards is a map', () => {
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 300 }), fc.nat(5), (deeds, limit) => {
      const table = openShardTable()
      const model = new Map<string, Place>()
      for (const { name, place } of deeds) {
        if (place) {
          table.set(name, place)
          model.set(name, place)
        } else {
          table.delete(name)
          model.delete(name)
        }
        assert.deepEqual(table.get(name), model.get(name))
      }
      const found = new Map<string, Place>()
      table.forEach((name, place) => found.set(name, place))
      assert.deepEqual(found, new Map([...found.keys()].map((name) => [name, model.get(name)])))
      assert.equal(found.size, model.size)
      const live = [...model].filter(([, { day }]) => day === 0).map(([name]) => name)
      for (const after of ['', ...live]) {
        const wanted = live.filter((name) => name > after).sort()
        assert.deepEqual(table.namesAfter(after, limit), wanted.slice(0, limit))
      }
    }),
    { numRuns: 200 },
  )
})

test('many shards', () => {
  const table = openShardTable()
  const nameOf = (at: number) => `${at}`.padStart(8, '0').repeat(4)
  for (let at = 0; at < 20_000; at++) table.set(nameOf(at), { bundle: at % 7, at: at * 8, length: at + 1, day: 0 })
  for (let at = 0; at < 20_000; at += 2) table.delete(nameOf(at))
  for (let at = 0; at < 20_000; at++) {
    const wanted = at % 2 === 0 ? undefined : { bundle: at % 7, at: at * 8, length: at + 1, day: 0 }
    assert.deepEqual(table.get(nameOf(at)), wanted)
  }
})
