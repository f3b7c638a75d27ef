import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { floorplan, type Row } from '../floorplan.ts'
import { faultsOf, readHouse, type Source } from './tidy.ts'

const plan: Record<string, Row> = {
  kernel: { on: [], packages: [], effects: false, why: 'Shared words.' },
  upper: { on: ['kernel'], packages: ['pg'], effects: false, why: 'Stands on words.' },
  host: { on: ['kernel', 'upper'], packages: [], effects: true, why: 'The world.' },
}
const clean: Source[] = [
  { path: 'src/kernel/index.ts', text: "export { a } from './a.ts'" },
  { path: 'src/kernel/a.ts', text: 'export const a = 1' },
  { path: 'src/upper/index.ts', text: "import { a } from '#kernel'\nexport const b = a" },
]
const breaches: [rule: string, expected: RegExp, source: Source][] = [
  ['upward import', /may not stand on upper/, { path: 'src/kernel/x.ts', text: "import { b } from '#upper'" }],
  ['upward, type only', /may not stand on upper/, { path: 'src/kernel/x.ts', text: "import type { b } from '#upper'" }],
  [
    'upward, import type',
    /may not stand on upper/,
    { path: 'src/kernel/x.ts', text: "export type T = import('#upper').b" },
  ],
  [
    'deep import',
    /reaches into src\/kernel\/a.ts/,
    { path: 'src/upper/x.ts', text: "import { a } from '../kernel/a.ts'" },
  ],
  [
    'deep by URL',
    /reaches into src\/kernel\/a.ts/,
    { path: 'src/upper/x.ts', text: "export const u = new URL('../kernel/a.ts', 'file:///')" },
  ],
  ['own door', /its own door/, { path: 'src/upper/x.ts', text: 'import { b } from "#upper"' }],
  [
    'machine outside host',
    /imports node:fs/,
    { path: 'src/upper/x.ts', text: "import { readFileSync } from 'node:fs'" },
  ],
  ['clock outside host', /uses Date.now/, { path: 'src/upper/x.ts', text: 'export const t = Date.now()' }],
  ['new Date() outside host', /uses new Date\(\)/, { path: 'src/upper/x.ts', text: 'export const t = new Date()' }],
  ['timer outside host', /uses setTimeout/, { path: 'src/upper/x.ts', text: 'setTimeout(() => 1, 2)' }],
  [
    'randomness outside host',
    /uses randomBytes/,
    { path: 'src/upper/x.ts', text: "import { randomBytes } from 'node:crypto'" },
  ],
  ['default export', /default export/, { path: 'src/upper/x.ts', text: 'export default 1' }],
  ['export star', /export \*/, { path: 'src/upper/x.ts', text: "export * from './index.ts'" }],
  ['unknown plane', /not in the plan/, { path: 'src/attic/x.ts', text: 'export const x = 1' }],
  ['unlisted package', /package left-pad/, { path: 'src/upper/x.ts', text: "import pad from 'left-pad'" }],
  ['missing file', /no source of the house/, { path: 'src/upper/x.ts', text: "import { y } from './y.ts'" }],
  [
    'computed import',
    /computed name/,
    { path: 'src/upper/x.ts', text: 'export const load = (n: string) => import(n)' },
  ],
  ['SQL outside a store', /holds SQL/, { path: 'src/upper/x.ts', text: 'export const q = sql`SELECT 1`' }],
  [
    'stray error table',
    /errors.ts/,
    { path: 'src/upper/x.ts', text: "import { errorTable } from '#kernel'\nexport const f = errorTable({})" },
  ],
]

test('the house follows its plan', () => {
  const faults = faultsOf(readHouse(join(import.meta.dirname, '..')), floorplan)
  assert.deepEqual(faults, [], `\n${faults.join('\n')}`)
})

test('a clean house has no fault', () => assert.deepEqual(faultsOf(clean, plan), []))

for (const [rule, expected, source] of breaches) {
  test(`a planted breach is named: ${rule}`, () => {
    const faults = faultsOf([...clean, source], plan)
    assert.ok(
      faults.some((fault) => expected.test(fault)),
      `none of: ${faults.join('; ')}`,
    )
  })
}

test('a circle of files is named', () => {
  const faults = faultsOf(
    [
      ...clean,
      { path: 'src/upper/p.ts', text: "import './q.ts'" },
      { path: 'src/upper/q.ts', text: "import './p.ts'" },
    ],
    plan,
  )
  assert.ok(faults.some((fault) => /circle: src\/upper\/p.ts -> src\/upper\/q.ts -> src\/upper\/p.ts/.test(fault)))
})

test('a plan with a circle is named', () => {
  const faults = faultsOf([], { ...plan, kernel: { on: ['upper'], packages: [], effects: false, why: '' } })
  assert.ok(faults.some((fault) => /kernel stands on upper/.test(fault)))
})
