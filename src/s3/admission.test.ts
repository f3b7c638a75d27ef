import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '#kernel'
import { openAdmission } from './admission.ts'

function at(limits: Partial<Parameters<typeof openAdmission>[1]>) {
  let now = 1_000_000
  const clock = { now: () => now, after: () => () => {} }
  const usual = { requests: 100, requestsPerKey: 100, ratePerKey: 1000, burstPerKey: 1000 }
  return { admission: openAdmission(clock, { ...usual, ...limits }), pass: (ms: number) => void (now += ms) }
}

const slowDown = (retryAfter: number) => (error: unknown) =>
  hasCode(error, 's3.slow-down') && error.details.retryAfter === retryAfter

test('one key has its share of the places, and the others have theirs', () => {
  const { admission } = at({ requests: 3, requestsPerKey: 2 })
  const seats = [admission.enter('a'), admission.enter('a')]
  assert.throws(() => admission.enter('a'), slowDown(1))
  const other = admission.enter('b')
  assert.throws(() => admission.enter('c'), slowDown(1))
  other.leave()
  admission.enter('c').leave()
  for (const seat of seats) seat.leave()
  assert.equal(admission.active(), 0)
  admission.enter('a').leave()
})

test('a key has so many at once, and then its rate', () => {
  const { admission, pass } = at({ ratePerKey: 2, burstPerKey: 3 })
  const send = () => admission.enter('a').leave()
  for (let sent = 0; sent < 3; sent++) send()
  assert.throws(send, slowDown(1))
  admission.enter('b').leave()
  pass(500)
  send()
  assert.throws(send, slowDown(1))
  pass(60_000)
  for (let sent = 0; sent < 3; sent++) send()
  assert.throws(send, slowDown(1))
})

test('what was not used does not add up beyond what may be sent at once', () => {
  const { admission, pass } = at({ ratePerKey: 10, burstPerKey: 3 })
  const send = () => admission.enter('a').leave()
  send()
  pass(60_000)
  for (let sent = 0; sent < 3; sent++) send()
  assert.throws(send, slowDown(1))
})

test('a slow rate says how long to wait', () => {
  const { admission } = at({ ratePerKey: 0.1, burstPerKey: 1 })
  admission.enter('a').leave()
  assert.throws(() => admission.enter('a'), slowDown(10))
})

test('many keys are not remembered for ever, and who is under way is not forgotten', () => {
  const { admission, pass } = at({ requests: 20_000, requestsPerKey: 1, burstPerKey: 1, ratePerKey: 1 })
  const first = admission.enter('first')
  for (let key = 0; key < 15_000; key++) {
    admission.enter(`key ${key}`).leave()
    pass(1)
  }
  assert.throws(() => admission.enter('first'), slowDown(1))
  first.leave()
  assert.equal(admission.active(), 0)
})
