/** Types, type-aware lint, format and the floor plan; ends with one count. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const bin = (name: string) => join(root, 'node_modules', '.bin', name)
const checks: [name: string, command: string, args: string[]][] = [
  ['types', bin('tsc'), ['-p', 'tsconfig.json']],
  ['types of the console', bin('tsc'), ['-p', 'console/tsconfig.json']],
  ['lint', bin('oxlint'), ['--type-aware', '--deny-warnings']],
  ['format', bin('biome'), ['format']],
  ['tidy', process.execPath, ['--test', '--test-reporter=dot', 'test/tidy.test.ts', 'test/contract.test.ts']],
]

let failed = 0
for (const [name, command, args] of checks) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], timeout: 240_000 })
  const ok = result.status === 0
  if (!ok) failed++
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}${result.error ? `: ${result.error.message}` : ''}`)
}
console.log(`${checks.length - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
