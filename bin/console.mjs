// Builds the web console when its sources differ from those of the last build. Runs on any Node >= 20; `start.mjs` calls it.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const [root, node, pnpm] = process.argv.slice(2)
const house = join(root, 'console')
const dist = join(house, 'dist')
const mark = join(dist, '.built')

const wanted = fingerprint()
if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) process.exit(0)
if (!existsSync(join(house, 'node_modules', 'vite'))) {
  // Only who builds the console brings what it is built with.
  command('npx', ['--yes', pnpm, 'install', '--frozen-lockfile', '--filter', 'pelago-console'], root)
}
const fresh = `${dist}.${process.pid}`
try {
  command(
    node,
    [join(house, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'error', '--outDir', fresh],
    house,
  )
  writeFileSync(join(fresh, '.built'), wanted)
  rmSync(dist, { recursive: true, force: true })
  renameSync(fresh, dist)
} finally {
  rmSync(fresh, { recursive: true, force: true })
}

/** Of everything that goes into the build. */
function fingerprint() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'pnpm-lock.yaml')))
  for (const folder of ['console', 'src/kernel', 'src/api', 'src/client']) {
    for (const file of filesIn(join(root, folder))) hash.update(relative(root, file)).update(readFileSync(file))
  }
  return hash.digest('hex')
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && !name.startsWith('dist'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)]))
}

function command(program, words, cwd) {
  const { status, error, stderr } = spawnSync(program, words, {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (status === 0) return
  console.error(`The web console could not be built: ${error?.message ?? stderr.trim().slice(-2000)}`)
  console.error('Everything else works without it. To try again: node bin/start.mjs console')
  process.exit(1)
}
