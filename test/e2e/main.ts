/** Journeys of people through the console, in Debian's Chromium against a federation that really runs. Ends with one count. */
import { existsSync, mkdirSync } from 'node:fs'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { spawnSync } from 'node:child_process'
import { chromium, pictures } from './browser.ts'

const root = join(import.meta.dirname, '..', '..')
if (!existsSync(chromium)) {
  console.log(`SKIPPED every journey: there is no ${chromium}. To have it: apt-get install chromium`)
  console.log('0 passed, 0 failed')
  process.exit(0)
}
const words = [join(root, 'bin', 'console.mjs'), root, process.execPath, 'pnpm@12.21.0']
if (spawnSync(process.execPath, words, { stdio: 'inherit' }).status !== 0) process.exit(1)
mkdirSync(pictures, { recursive: true })

let passed = 0
let failed = 0
const files = globSync(process.argv[2] ?? 'test/e2e/*.e2e.ts', { cwd: root }).map((file) => join(root, file))
const stream = run({ files: files.toSorted(), concurrency: 1, timeout: 280_000, cwd: root })
stream.on('test:pass', ({ details }) => {
  if (details.type !== 'suite') passed++
})
stream.on('test:fail', ({ details }) => {
  if (details.type !== 'suite') failed++
})
stream.on('end', () => {
  setImmediate(() => {
    console.log(`Pictures lie in ${pictures}.`)
    console.log(`${passed} passed, ${failed} failed`)
    process.exitCode = failed > 0 || passed === 0 ? 1 : 0
  })
})
stream.compose(spec).pipe(process.stdout)
