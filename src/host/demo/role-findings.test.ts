import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RoleAnswer, roleFindings } from './role-findings.ts'

const now = 1_800_000_000_000
const plan = { name: 'gateway', role: 'gateway', config: '', url: '', about: '' } as const
const well: RoleAnswer = {
  plan,
  aheadMs: 400,
  ready: { ready: true, checks: [{ name: 'index', state: 'good', says: 'it answers' }] },
  metrics: [
    'pelago_database_failures_total{database="index"} 0',
    'pelago_database_commit_seconds_sum{database="index"} 1',
    'pelago_database_commit_seconds_count{database="index"} 100',
    `pelago_work_last_step_seconds{kind="storage.repair"} ${now / 1000 - 5}`,
    'pelago_work_last_step_seconds{kind="audit.yearly"} 1',
  ].join('\n'),
}
const stateOf = (answers: RoleAnswer[], step: string) =>
  roleFindings(answers, now).find((finding) => finding.step === step)?.state

test('all is well', () => {
  assert.ok(roleFindings([well], now).every(({ state }) => state === 'good'))
})

test('clocks that differ are told, and whose', () => {
  const other = { ...plan, name: 'isar', role: 'provider' as const }
  const skewed = (aheadMs: number) => roleFindings([well, { plan: other, aheadMs }], now)[0]
  assert.equal(skewed(-2500)?.state, 'good')
  assert.deepEqual([skewed(-20_000)?.state, skewed(-20_000)?.says], ['warning', 'the clock of isar is 20 s behind'])
  assert.equal(skewed(600_000)?.state, 'bad')
})

test('whatever is not good says what to do', () => {
  const checks = (['index', 'directory', 'providers', 'disk', 'quota', 'process'] as const).map((name) => {
    return { name, state: 'warning' as const, says: 'not well' }
  })
  const bad: RoleAnswer = {
    plan,
    aheadMs: 10_000,
    ready: { ready: false, checks },
    metrics: [
      'pelago_database_failures_total{database="index"} 2',
      `pelago_work_last_step_seconds{kind="storage.repair"} ${now / 1000 - 3600}`,
    ].join('\n'),
  }
  for (const { step, state, mend } of roleFindings([bad], now)) {
    assert.notEqual(state, 'good', step)
    assert.ok(mend.length > 20, step)
  }
  assert.equal(stateOf([bad], 'leases'), 'bad')
  assert.equal(stateOf([bad], 'gateway database'), 'warning')
})

test('another gateway may hold the lease', () => {
  const idle = { ...well, metrics: `pelago_work_last_step_seconds{kind="storage.repair"} ${now / 1000 - 3600}` }
  assert.equal(stateOf([idle], 'leases'), 'bad')
  assert.equal(stateOf([idle, well], 'leases'), 'good')
})
