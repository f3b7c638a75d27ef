import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { insertPerson } from '#access'
import { runCommand } from '#cli'
import { cliPorts } from '../../src/host/cli-ports.ts'
import { Passkey } from '../tools/authenticator.ts'
import { goThrough, openIdentityProvider } from '../tools/identity-provider.ts'
import {
  type Asker,
  enrol,
  firstOwner,
  good,
  type House,
  openHouse,
  origin,
  rp,
  token,
} from '../tools/sign-in-house.ts'
import { openVirtualClock } from '../tools/virtual-clock.ts'

let house: House
let provider: Awaited<ReturnType<typeof openIdentityProvider>>
let owner: Asker
const folders: string[] = []

before(async () => {
  // A native client may come back to any port of its machine.
  provider = await openIdentityProvider({ ben: { email: 'ben@example.org', email_verified: true } }, [
    'http://127.0.0.1/callback',
  ])
  const secretFile = join(dataFolder(0), 'secret')
  writeFileSync(secretFile, 'a-secret-that-only-the-two-know\n')
  const ours = { id: 'ours', name: 'Ours', issuer: provider.issuer, clientId: 'pelago', clientSecretFile: secretFile }
  house = await openHouse(
    {
      egress: { origins: [provider.issuer] },
      signIn: { rp, name: 'Test', origins: [origin], providers: [{ ...ours, scopes: ['email'], rules: [] }] },
    },
    openVirtualClock(Date.now()),
  )
})
after(async () => {
  await house.close()
  await provider.close()
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** What a data folder holds for commands: where Pelago runs, and the token of the machine. */
function dataFolder(port: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'pelago-cli-'))
  folders.push(folder)
  const ports = { supervisor: port, gateway: port, federation: port, s3: port }
  writeFileSync(join(folder, 'run.json'), JSON.stringify({ version: 1, pid: process.pid, ports }))
  writeFileSync(join(folder, 'api-token'), token)
  return folder
}

/** Runs one command line as a person would, and hears what it says while it runs. */
async function pelago(data: string, words: string[], heard: (line: string) => void = () => {}) {
  const out: string[] = []
  const err: string[] = []
  const ports = {
    ...cliPorts,
    out: (line: string) => void out.push(line),
    err: (line: string) => {
      err.push(line)
      heard(line)
    },
  }
  const code = await runCommand([...words, '--data', data], ports)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

async function addPerson(name: string) {
  await house.database.transact(() =>
    insertPerson({
      ...{ id: Buffer.from(name.padEnd(12)).toString('hex'), tenant: 'demo', name, displayName: name },
      ...{ email: `${name}@example.org`, roles: ['clerk'], state: 'active', epoch: 1, createdAt: house.clock.now() },
    }),
  )
}

test('from the first code to a person on the command line', async () => {
  const data = dataFolder(house.port)
  const made = await pelago(data, ['admin', 'code'])
  assert.equal(made.code, 0)
  assert.match(made.out, /^[A-Z2-9]{4}(-[A-Z2-9]{4}){2}$/)
  owner = (await firstOwner(house)).asker
  assert.match((await pelago(data, ['admin', 'code'])).err, /has an owner who can sign in/)

  let approved: Promise<unknown> | undefined
  const entered = await pelago(data, ['login', '--label', 'laptop'], (line) => {
    const code = /session approve (\S+)/.exec(line)?.[1] ?? ''
    approved = house.ask('POST', `/v1/logins/${code}/approve`, {}, owner)
  })
  await approved
  assert.deepEqual([entered.code, entered.out], [0, 'You are ada. Later commands are yours until you log out.'])
  assert.equal(statSync(join(data, 'cli-session')).mode & 0o777, 0o600)
  assert.ok(!entered.out.includes('pls_') && !entered.err.includes('pls_'))

  const listed = await pelago(data, ['session', 'list'])
  assert.match(listed.out, /laptop \(this one\)/)
  const others = JSON.parse((await pelago(data, ['session', 'list', '--json'])).out) as {
    sessions: { id: string; current: boolean }[]
  }
  assert.equal(others.sessions.length, 2)
  const other = others.sessions.find(({ current }) => !current)?.id ?? ''
  assert.equal((await pelago(data, ['session', 'end', other])).code, 0)
  assert.equal((await house.ask('GET', '/v1/session', undefined, owner)).body.code, 'session.ended')

  // Whoever is signed in here lets in the next one.
  const second = dataFolder(house.port)
  let allowed: Promise<{ code: number; out: string }> | undefined
  const next = await pelago(second, ['login'], (line) => {
    const code = /session approve (\S+)/.exec(line)?.[1] ?? ''
    allowed = (async () => {
      const shown = await pelago(data, ['session', 'approve', code])
      assert.equal(shown.code, 1)
      assert.match(shown.out, /pelago at 127\.0\.0\.1 wants to be signed in as you/)
      return pelago(data, ['session', 'approve', code, '--yes'])
    })()
  })
  assert.equal((await allowed)?.code, 0)
  assert.equal(next.code, 0)

  assert.equal((await pelago(second, ['logout'])).code, 0)
  assert.ok(!existsSync(join(second, 'cli-session')))
  assert.match((await pelago(second, ['session', 'list'])).err, /the token of the machine is nobody/)
  // A session that ended elsewhere is said, and logging out still works.
  house.clock.pass(31 * 60_000)
  assert.match((await pelago(data, ['session', 'list'])).err, /not used for 30 minutes/)
  assert.equal((await pelago(data, ['logout'])).code, 0)
})

test('with an identity provider, through the browser of this machine', async () => {
  const data = dataFolder(house.port)
  await addPerson('ben')
  let browser: Promise<unknown> | undefined
  const entered = await pelago(data, ['login', '--provider', 'ours'], (line) => {
    const url = /^http\S+$/m.exec(line)?.[0]
    if (url !== undefined)
      browser = (async () => {
        const back = new URL(url).searchParams.get('redirect_uri') as string
        const came = await fetch(await goThrough(url, 'ben', back))
        assert.match(await came.text(), /close this page/)
      })()
  })
  await browser
  assert.deepEqual(
    [entered.code, entered.out, entered.err.includes('pls_')],
    [0, 'You are ben. Later commands are yours until you log out.', false],
  )
  const out = await pelago(data, ['logout'])
  assert.match(out.err, /session\/end/)
})

test('a recovery on the command line', async () => {
  const data = new Map<string, string>()
  const keys = [new Passkey(-7), new Passkey(-8)]
  for (const name of ['cleo', 'dan', 'eve']) {
    await addPerson(name)
    const invited = await pelago(dataFolder(house.port), ['admin', 'invite', name])
    assert.equal(invited.code, 0, invited.err)
    const claimed = good(await house.ask('POST', '/v1/enrolments', { kind: 'invitation', code: invited.out })).body
    const asker = await enrol(house, claimed.enrolment as string, [new Passkey(-7), new Passkey(-8)])
    const folder = dataFolder(house.port)
    data.set(name, folder)
    await pelago(folder, ['login'], (line) => {
      const code = /session approve (\S+)/.exec(line)?.[1] ?? ''
      void house.ask('POST', `/v1/logins/${code}/approve`, {}, asker)
    })
  }
  const own = dataFolder(house.port)
  assert.match((await pelago(own, ['recovery', 'plan'])).out, /Nobody helps yet/)
  const planned = await pelago(own, ['recovery', 'plan', '--needed', '2', '--helpers', 'cleo,dan,eve'])
  assert.equal(planned.out, '2 of cleo, dan, eve must agree, and 72 hours pass.')
  const wish = JSON.parse((await pelago(own, ['recovery', 'request', 'ada', '--json'])).out) as Record<string, string>
  assert.match((await pelago(data.get('cleo') as string, ['recovery', 'list'])).out, new RegExp(wish.words ?? '-'))
  assert.equal((await pelago(data.get('cleo') as string, ['recovery', 'approve', wish.id ?? ''])).out, '1 of 2 agree')
  assert.match((await pelago(data.get('dan') as string, ['recovery', 'approve', wish.id ?? ''])).out, /completed from/)
  const file = join(own, 'secret')
  writeFileSync(file, `${wish.secret ?? ''}\n`)
  assert.match(
    (await pelago(own, ['recovery', 'complete', wish.id ?? '', '--secret-file', file])).err,
    /unless somebody cancels/,
  )
  house.clock.pass(72 * 3_600_000)
  const done = await pelago(own, ['recovery', 'complete', wish.id ?? '', '--secret-file', file])
  assert.equal(done.code, 0, done.err)
  const asker = await enrol(house, done.out, keys)
  assert.equal(good(await house.ask('GET', '/v1/session', undefined, asker)).body.actor, 'ada')
  assert.match((await pelago(own, ['notices'])).out, /recovery\.completed/)
})
