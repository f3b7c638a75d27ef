import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KeyOracle, raceOf } from './oracle.ts'

describe('the oracle of the torture', () => {
  test('an acknowledged write that is gone, or overtaken by an older one, is noticed', () => {
    const oracle = new KeyOracle()
    oracle.wrote(1, 'done')
    oracle.wrote(2, 'done')
    assert.equal(oracle.saw(2), undefined)
    assert.match(oracle.saw(1) ?? '', /found 1/)
    assert.match(oracle.saw('nothing') ?? '', /found nothing/)
    oracle.wrote('nothing', 'done')
    assert.match(oracle.saw(2) ?? '', /found 2/)
    assert.equal(oracle.saw('nothing'), undefined)
  })

  test('what nobody answered for may come, later too, but once', () => {
    const oracle = new KeyOracle()
    oracle.wrote(1, 'done')
    oracle.wrote(2, 'unknown')
    assert.equal(oracle.saw(1), undefined)
    assert.equal(oracle.saw(2), undefined)
    assert.match(oracle.saw(1) ?? '', /found 1/)
    oracle.wrote(3, 'done')
    assert.match(oracle.saw(2) ?? '', /found 2/)
    oracle.wrote('nothing', 'unknown')
    assert.ok(oracle.open())
    assert.equal(oracle.saw(3), undefined)
    assert.equal(oracle.saw('nothing'), undefined)
    oracle.wrote(4, 'refused')
    assert.match(oracle.saw(4) ?? '', /found 4/)
  })

  test('of a race one may have won, and then nobody else', () => {
    assert.ok(
      'wrong' in
        raceOf(
          [1, 2].map((value) => ({ value, told: 'done' as const })),
          'nothing',
        ),
    )
    const won = raceOf(
      [
        { value: 1, told: 'unknown' },
        { value: 2, told: 'done' },
      ],
      'nothing',
    )
    assert.deepEqual(won, { allowed: new Set([2]) })
    assert.deepEqual(raceOf([{ value: 1, told: 'unknown' }], 'nothing'), { allowed: new Set(['nothing', 1]) })
    assert.deepEqual(raceOf([{ value: 2, told: 'refused' }], 1), { allowed: new Set([1]) })
  })

  test('a condition that cannot have held, one that must have, and a listing that lies are noticed', () => {
    const oracle = new KeyOracle()
    assert.match(oracle.judged('nothing', 'condition') ?? '', /refused, although/)
    assert.match(oracle.listed(true) ?? '', /nothing may be there/)
    oracle.wrote(1, 'done')
    assert.match(oracle.judged('nothing', 'done') ?? '', /done on nothing/)
    assert.match(oracle.judged(1, 'condition') ?? '', /refused, although/)
    assert.match(oracle.listed(false) ?? '', /1 must be there/)
    oracle.wrote('nothing', 'unknown')
    assert.equal(oracle.judged('nothing', 'done'), undefined)
    assert.equal(oracle.judged(1, 'condition'), undefined)
    assert.equal(oracle.listed(false), undefined)
    assert.equal(oracle.listed(true), undefined)
  })
})
