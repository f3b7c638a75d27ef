/** The README's test command: every suite that this machine can run, one count at the end. */
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const words = process.argv.slice(2)
const patterns = words.length > 0 ? words : ['src/**/*.test.ts', 'sim/**/*.test.ts', 'test/**/*.test.ts']
const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).map((file) => join(root, file))
if (files.length === 0) {
  console.error(`No test file matches ${patterns.join(' ')}.`)
  process.exit(1)
}

let passed = 0
let failed = 0
const skipped: string[] = []
const stream = run({ files: files.sort(), concurrency: 3, timeout: 280_000, cwd: root })
stream.on('test:pass', (event) => {
  if (event.details.type === 'suite') return
  if (event.skip) skipped.push(`${event.name}: ${event.skip === true ? 'skipped' : event.skip}`)
  else passed++
})
stream.on('test:fail', (event) => {
  if (event.details.type !== 'suite') failed++
})
stream.on('end', () => {
  setImmediate(() => {
    for (const line of skipped) console.log(`SKIPPED ${line}`)
    console.log(`${passed} passed, ${failed} failed`)
    process.exitCode = failed > 0 || passed === 0 ? 1 : 0
  })
})
stream.compose(spec).pipe(process.stdout)
