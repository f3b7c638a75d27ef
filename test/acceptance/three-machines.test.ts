/** Follows the commands of docs/operate on three machines that are folders and addresses of their own. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as s3 from '@aws-sdk/client-s3'
import { type SignedDirectory, verifyDirectory } from '#pool'
import { rawPublicKey, sharedKey } from '#storage'
import { openFederationLink } from '../../src/host/enrol/federation-link.ts'
import { providerLink } from '../../src/host/tls/provider-link.ts'
import { openRoleIdentity } from '../../src/host/tls/role-identity.ts'
import { freePort } from '../../src/host/http/free-port.ts'
import { systemClock } from '../../src/host/clock.ts'
import { openRandom } from '../../src/host/random.ts'
import { directoryKeyOf } from '../../src/host/run/directory-copy.ts'
import { openShardStore } from '../../src/host/shards/shard-client.ts'
import { run } from './start-pelago.ts'

const root = join(import.meta.dirname, '..', '..')
const entry = join(root, 'bin', 'pelago.ts')
const flags = ['--disable-warning=ExperimentalWarning']
const linux = process.platform === 'linux' ? {} : { skip: 'other systems have one loopback address' }

type Machine = 'first' | 'second' | 'third'
const machines: readonly Machine[] = ['first', 'second', 'third']

/** The commands of a block of a page, as a person types them there. */
function commandsOf(page: string, block: string): string[] {
  const text = readFileSync(join(root, 'docs', 'operate', page), 'utf8')
  const [, commands] = new RegExp(`^\`\`\`sh ${block}\\n(.*?)^\`\`\``, 'ms').exec(text) ?? []
  assert.ok(commands, `${page} has no block ${block}`)
  return commands.trim().split('\n')
}

/** A word as a shell hands it over: a star stands for the one file that there is. */
function shellWord(word: string): string {
  if (!word.includes('*')) return word
  const [found, ...more] = globSync(word)
  assert.ok(found !== undefined && more.length === 0, word)
  return found
}

class Machines {
  readonly folder = mkdtempSync(join(tmpdir(), 'pelago-3-'))
  readonly processes = new Map<string, ChildProcess>()
  readonly #ports = new Map<string, number>()

  /** Where on this disk a folder of a page is. */
  path(machine: Machine, path: string): string {
    return path
      .replace(/^\/(var\/lib|run)\/pelago/, join(this.folder, machine))
      .replace(/^\/media\//, `${join(this.folder, machine, 'media')}/`)
  }

  /** An address of a page, as it is here: one loopback address per machine, and a port that is free. */
  async address(text: string): Promise<string> {
    const [, host = '', port = ''] = /^([\d.]+):(\d+)$/.exec(text) ?? []
    const own = host === '127.0.0.1' ? host : `127.0.0.${Number(host.split('.').at(-1)) + 1}`
    const known =
      this.#ports.get(text) ?? (await freePort(own, 20_000 + (process.pid % 9000), new Set(this.#ports.values())))
    this.#ports.set(text, known)
    assert.ok(port)
    return `${own}:${known}`
  }

  /** Does what a line of a page says. `codes`: what `CODE` stands for. @returns what it printed */
  async do(machine: Machine, line: string, code = 'CODE'): Promise<string> {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
    const meant = await Promise.all(
      words.map(async (word) => {
        if (word === 'CODE') return code
        const [, scheme = '', address] = /^(https?:\/\/)?(\d+\.\d+\.\d+\.\d+:\d+)$/.exec(word) ?? []
        if (address === undefined) return shellWord(this.path(machine, word))
        return scheme + (await this.address(scheme === '' ? address : at(machine, address)))
      }),
    )
    const [program, ...rest] = meant
    if (program === 'systemctl') return this.#systemctl(machine, rest)
    assert.equal(program, 'pelago', line)
    const { code: exit, out, err } = await run(process.execPath, [...flags, entry, ...rest])
    assert.equal(exit, 0, `${line}: ${out}${err}`)
    return out.trim()
  }

  async #systemctl(machine: Machine, words: string[]): Promise<string> {
    const units = words.flatMap((word) => /^pelago@(\w+)$/.exec(word)?.[1] ?? [])
    assert.ok(units.length > 0)
    for (const role of units) {
      if (words[0] === 'stop') await this.stop(machine, role)
      else await this.start(machine, role)
    }
    return ''
  }

  /** As the unit does, and until it serves. */
  async start(machine: Machine, role: string): Promise<void> {
    const config = this.path(machine, `/var/lib/pelago/${role}/config.json`)
    const log = join(this.folder, `${machine}-${role}.log`)
    const before = existsSync(log) ? readFileSync(log, 'utf8').length : 0
    const child = spawn(process.execPath, [...flags, entry, 'run', '--config', config, '--log', log], {
      stdio: 'ignore',
    })
    this.processes.set(`${machine} ${role}`, child)
    await until(`${machine} ${role} serves`, () => {
      const said = existsSync(log) ? readFileSync(log, 'utf8').slice(before) : ''
      assert.doesNotMatch(said, /"role\.unstarted"/, said)
      return said.includes('"role.ready"')
    })
  }

  async stop(machine: Machine, role: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.processes.get(`${machine} ${role}`)
    assert.ok(child)
    this.processes.delete(`${machine} ${role}`)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  config(machine: Machine, role: string): Record<string, never> & { id: string } {
    return JSON.parse(readFileSync(this.path(machine, `/var/lib/pelago/${role}/config.json`), 'utf8')) as never
  }

  async close(): Promise<void> {
    for (const name of [...this.processes.keys()].reverse()) {
      const [machine, role] = name.split(' ') as [Machine, string]
      await this.stop(machine, role)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** On the other machines the commands name their own address. */
const at = (machine: Machine, address: string) =>
  address.endsWith(':4300') ? address.replace('10.7.0.1', `10.7.0.${machines.indexOf(machine) + 1}`) : address

/** @param act tried until it is true, for a minute */
async function until(what: string, act: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000
  while (!(await act())) {
    assert.ok(Date.now() < end, `it did not come to this: ${what}`)
    await sleep(100)
  }
}

describe('three machines, by the pages for operators', linux, () => {
  const house = new Machines()
  let client: s3.S3Client
  const content = Buffer.alloc(3 * 1024 * 1024, 'three machines ')
  const small = 'a small one'
  const put = (Key: string, Body: Buffer | string) =>
    client.send(new s3.PutObjectCommand({ Bucket: 'first', Key, Body }))
  const get = async (Key: string) => {
    const { Body } = await client.send(new s3.GetObjectCommand({ Bucket: 'first', Key }))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }
  /** A gateway's keys of this moment, as a thief would have them. */
  const stolen = () => {
    const folder = house.path('first', '/var/lib/pelago/gateway')
    const files = {
      identityFile: join(folder, 'identity.pem'),
      certificateFile: join(folder, 'certificate.pem'),
      authorityFile: join(folder, 'authority.pem'),
    }
    const key = (name: string) => createPrivateKey(readFileSync(join(folder, name)))
    const { federation } = house.config('first', 'gateway') as unknown as {
      federation: { url: string; publicKey: string }
    }
    const signed = JSON.parse(readFileSync(join(folder, 'directory.json'), 'utf8')) as SignedDirectory
    return {
      ...{ identity: key('identity.pem'), shared: key('key.pem'), url: federation.url },
      authority: new X509Certificate(readFileSync(join(folder, 'authority.pem'))),
      shown: openRoleIdentity(systemClock, files, { role: 'gateway', id: 'gateway' }),
      directory: verifyDirectory(signed, directoryKeyOf(federation.publicKey), 0),
    }
  }
  type Stolen = ReturnType<typeof stolen>

  /** What each provider answers to a gateway with these keys. */
  async function answersTo({ shared, shown, directory }: Stolen): Promise<string[]> {
    const own = rawPublicKey(createPublicKey(shared))
    const ports = { clock: systemClock, random: openRandom() }
    return Promise.all(
      directory.providers.map(async (provider) => {
        const theirs = Buffer.from(provider.publicKey, 'hex')
        const keys = { gateway: 'gateway', shared: sharedKey(shared, theirs, own, theirs) }
        const store = openShardStore(ports, provider, keys, providerLink(ports, shown, provider))
        try {
          await store.status(AbortSignal.timeout(5000))
          return 'taken'
        } catch (error) {
          return (error as { code: string }).code
        } finally {
          store.close()
        }
      }),
    )
  }

  function renew({ identity: key, url, authority }: Stolen) {
    const link = openFederationLink(
      { clock: systemClock, random: openRandom() },
      { url, id: 'gateway', key, authority },
    )
    return link.renew().finally(() => link.close())
  }

  const openClient = () => {
    const { s3: edge, accessFile } = house.config('first', 'gateway') as unknown as {
      s3: { host: string; port: number; region: string }
      accessFile: string
    }
    const { keys } = JSON.parse(readFileSync(accessFile, 'utf8')) as { keys: { id: string; secret: string }[] }
    return new s3.S3Client({
      endpoint: `http://${edge.host}:${edge.port}`,
      region: edge.region,
      credentials: { accessKeyId: keys[0]?.id ?? '', secretAccessKey: keys[0]?.secret ?? '' },
      forcePathStyle: true,
      maxAttempts: 6,
    })
  }

  before(async () => {
    const codes: string[] = []
    for (const line of commandsOf('install.md', 'federation')) {
      const said = await house.do('first', line)
      if (line.includes(' invite ')) codes.push(said)
    }
    const [gateway = '', ...rest] = codes.toReversed()
    const providers = rest.toReversed()
    await Promise.all(
      machines.map(async (machine, number) => {
        for (const line of commandsOf('install.md', 'provider')) await house.do(machine, line, providers[number])
      }),
    )
    for (const line of commandsOf('install.md', 'gateway')) await house.do('first', line, gateway)
    client = openClient()
  })
  after(async () => {
    client?.destroy()
    await house.close()
  })

  test('objects are stored on three machines, and read again', async () => {
    await put('large', content)
    await put('small', small)
    assert.deepEqual(await get('large'), content)
    assert.equal((await get('small')).toString(), small)
    assert.deepEqual(await answersTo(stolen()), ['taken', 'taken', 'taken'])
    const ids = machines.map((machine) => house.config(machine, 'provider').id)
    assert.deepEqual(ids, ['north', 'south', 'west'])
  })

  test('a provider that is killed is missed by nobody, and comes back', async () => {
    await house.stop('second', 'provider', 'SIGKILL')
    assert.deepEqual(await get('large'), content)
    await house.start('second', 'provider')
    await until('all three answer', async () => (await answersTo(stolen())).every((answer) => answer === 'taken'))
    await put('after the loss', small)
  })

  test('a revoked gateway is refused by every provider within ten seconds, and by the federation at once; it joins anew', async () => {
    const before = stolen()
    await renew(before)
    for (const line of commandsOf('enrolment.md', 'revoke')) await house.do('first', line)
    const revokedAt = Date.now()
    await assert.rejects(renew(before), { code: 'member.revoked' })
    let answers: string[] = []
    while (answers.length === 0 || answers.includes('taken')) {
      answers = await answersTo(before)
      assert.ok(Date.now() - revokedAt < 10_000, answers.join())
    }
    assert.deepEqual(answers, ['shard.denied', 'shard.denied', 'shard.denied'])
    await assert.rejects(client.send(new s3.PutObjectCommand({ Bucket: 'first', Key: 'no', Body: content })))
    let code = ''
    for (const line of commandsOf('enrolment.md', 'rejoin')) {
      const said = await house.do('first', line, code)
      if (line.includes(' invite ')) code = said
    }
    await until('the gateway reads again', () =>
      get('large').then(
        (bytes) => bytes.equals(content),
        () => false,
      ),
    )
    await until('the gateway writes again', () =>
      put('again', small).then(
        () => true,
        () => false,
      ),
    )
    assert.deepEqual(new Set(await answersTo(before)), new Set(['shard.denied']), 'the old keys stay refused')
    await assert.rejects(renew(before), { code: 'signature.wrong' })
    await renew(stolen())
  })

  test('with the federation away everything goes on, over restarts too', async () => {
    await house.stop('first', 'federation')
    await put('without', content)
    assert.deepEqual(await get('without'), content)
    for (const machine of machines) {
      await house.stop(machine, 'provider')
      await house.start(machine, 'provider')
    }
    await house.stop('first', 'gateway')
    await house.start('first', 'gateway')
    await until('it reads again', () =>
      get('without').then(
        (bytes) => bytes.equals(content),
        () => false,
      ),
    )
    await until('it writes again', () =>
      put('still', small).then(
        () => true,
        () => false,
      ),
    )
    assert.equal((await get('still')).toString(), small)
  })

  test('what the roles wrote down tells no code and no key', () => {
    const logs = ['first-federation', 'first-gateway', 'second-provider'].map((name) =>
      readFileSync(join(house.folder, `${name}.log`), 'utf8'),
    )
    for (const text of logs) {
      assert.match(text, /"role\.ready"/)
      assert.doesNotMatch(text, /pelago1-|PRIVATE KEY/)
    }
  })
})
