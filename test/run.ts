/** The README's test command: every suite that this machine can run, one count at the end. */
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { globSync } from 'node:fs'
import { join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')
const words = process.argv.slice(2)
const patterns =
  words.length > 0 ? words : ['src/**/*.test.ts', 'sim/**/*.test.ts', 'test/**/*.test.ts', 'console/src/**/*.test.ts']
const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).map((file) => join(root, file))
if (files.length === 0) {
  console.error(`No test file matches ${patterns.join(' ')}.`)
  process.exit(1)
}

/** What takes longest begins first, so that nobody waits for it alone in the end. What a run says at its end belongs here. */
const longest = [
  'test/acceptance/acme.test.ts',
  'test/acceptance/up.test.ts',
  'test/acceptance/foreign-clients.test.ts',
  'sim/sim.test.ts',
  'test/acceptance/crash.test.ts',
  'test/acceptance/api.test.ts',
  'test/acceptance/log.test.ts',
  'test/acceptance/secrets.test.ts',
  'test/acceptance/readme.test.ts',
  'test/compliance/node-crash.test.ts',
  'test/acceptance/',
].map((path) => join(root, path))
const rank = (file: string) => {
  const at = longest.findIndex((path) => file.startsWith(path))
  return at === -1 ? longest.length : at
}
/** What measures how much of the processor a request takes, where others beside it would be measured too: after all others, alone. */
const alone = [join(root, 'test/acceptance/loop.test.ts')]
/** Tests wait more than they compute: for restarts, leases, other processes. */
const atOnce = 4
const named = 8

let passed = 0
let failed = 0
const skipped: string[] = []
const seconds: [file: string, took: number][] = []

const ordered = files.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
await pass(ordered.filter((file) => !alone.includes(file)))
await pass(ordered.filter((file) => alone.includes(file)))
const slowest = seconds.toSorted(([, a], [, b]) => b - a).slice(0, named)
console.log(`Took longest: ${slowest.map(([file, took]) => `${file} ${took.toFixed(0)} s`).join(', ')}`)
for (const line of skipped) console.log(`SKIPPED ${line}`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

/** Runs some files, shows what they say, and counts. */
async function pass(some: string[]): Promise<void> {
  if (some.length === 0) return
  const stream = run({ files: some, concurrency: atOnce, timeout: 280_000, cwd: root })
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite') return
    if (event.skip) skipped.push(`${event.name}: ${event.skip === true ? 'skipped' : event.skip}`)
    else passed++
  })
  stream.on('test:fail', (event) => {
    if (event.details.type !== 'suite') failed++
  })
  stream.on('test:complete', ({ nesting, name, details }) => {
    if (nesting === 0 && name.endsWith('.test.ts')) seconds.push([relative(root, name), details.duration_ms / 1000])
  })
  for await (const text of stream.compose(spec)) process.stdout.write(String(text))
}
