/** The machine of a gateway is lost with the root key, its own keys and the key store: two of three files bring it back. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { signRequest } from '#client'
import { type Pelago, run, startPelago } from './start-pelago.ts'

const program = join(import.meta.dirname, '..', '..', 'bin', 'pelago.ts')
/** A command that speaks to no Pelago that runs. */
const alone = (...words: string[]) =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...words])

describe('the recovery kit', () => {
  let pelago: Pelago
  let files: string
  let kit: string[]
  const bodies = new Map([
    ['small', randomBytes(1000)],
    ['large', randomBytes(3 * 1024 * 1024)],
    ['empty', Buffer.alloc(0)],
  ])
  const cli = async (...words: string[]) => {
    const { code, out, err } = await pelago.cli(...words)
    assert.equal(code, 0, `${words.join(' ')}: ${out}${err}`)
    return out
  }
  const refused = async (asked: Promise<{ code: number; out: string; err: string }>, says: RegExp) => {
    const { code, out, err } = await asked
    assert.equal(code, 1, out + err)
    assert.match(out + err, says)
  }
  const make = async () =>
    (JSON.parse(await cli('recovery-kit', 'make', '--out', files, '--json')) as { files: string[] }).files
  const file = (which: number) => kit[which - 1] as string
  const putAll = async (bucket: string) => {
    for (const key of bodies.keys()) await cli('object', 'put', join(files, key), `s3://${bucket}/${key}`)
  }
  const readAll = async (bucket: string) => {
    for (const [key, body] of bodies) {
      const to = join(files, `got-${createHash('sha256').update(randomBytes(8)).digest('hex')}`)
      await cli('object', 'get', `s3://${bucket}/${key}`, to)
      assert.ok(body.equals(await readFile(to)), `${bucket}/${key}`)
    }
  }
  before(async () => {
    files = await mkdtemp(join(tmpdir(), 'pelago-kit-'))
    for (const [key, body] of bodies) await writeFile(join(files, key), body)
    pelago = await startPelago({ words: ['--demand-kit'] })
  })
  after(async () => {
    await pelago?.close()
    await rm(files, { recursive: true })
  })

  test('is demanded: without one there is no bucket, over the API and over S3, and the state is red', async () => {
    await refused(pelago.cli('status'), /Recovery kit: RED/)
    await refused(pelago.cli('bucket', 'create', 'early'), /pelago recovery-kit make/)
    const url = new URL(`${pelago.s3}/early`)
    const key = { id: pelago.accessKeyId, secret: pelago.secretAccessKey }
    const head = signRequest({ method: 'PUT', url, headers: {} }, key, pelago.region, 'UNSIGNED-PAYLOAD', Date.now())
    const answer = await fetch(url, { method: 'PUT', headers: head })
    assert.equal(answer.status, 403)
    assert.match(await answer.text(), /No bucket is created before a recovery kit/)
  })

  test('counts only when two of its files were shown to open it', async () => {
    await refused(pelago.cli('recovery-kit', 'make', '--out', join(pelago.data, 'kit')), /would be lost/)
    kit = await make()
    assert.equal(kit.length, 3)
    await refused(pelago.cli('recovery-kit', 'status'), /None was tested/)
    await refused(pelago.cli('bucket', 'create', 'early'), /untested/)
    await refused(pelago.cli('recovery-kit', 'test', file(2), file(2)), /twice/)
    const bent = join(files, 'bent')
    await writeFile(bent, (await readFile(file(2), 'utf8')).replace('Gateway', 'Gatevay'))
    await refused(pelago.cli('recovery-kit', 'test', file(1), bent), /not as it was written/)
    await refused(pelago.cli('bucket', 'create', 'early'), /untested/)
    assert.match(await cli('recovery-kit', 'test', file(3), file(1)), /Recovery kit: tested/)
    assert.match(await cli('status'), /Recovery kit: tested/)
    await cli('bucket', 'create', 'kept')
    await putAll('kept')
    assert.match(await cli('log', 'list', '--topic', 'kit.tested'), /two files of a recovery kit/)
  })

  test('is of no use any more once the root key was rotated, which is red; a new one is good', async () => {
    const old = kit
    await cli('key', 'rotate', '--root')
    const until = Date.now() + 30_000
    while ((await pelago.cli('recovery-kit', 'status')).code === 0) assert.ok(Date.now() < until, 'it stays green')
    await refused(pelago.cli('status'), /RED. Since it was made the root key changed/)
    await refused(pelago.cli('bucket', 'create', 'late'), /stale/)
    kit = await make()
    await refused(pelago.cli('recovery-kit', 'test', file(1), old[1] as string), /different recovery kits/)
    await cli('recovery-kit', 'test', file(1), file(2))
    await cli('bucket', 'create', 'late')
    await putAll('late')
    const { kits } = JSON.parse(await cli('recovery-kit', 'status', '--json')) as { kits: { kit: string }[] }
    assert.equal(kits.length, 2)
    await cli('recovery-kit', 'discard', kits[1]?.kit as string)
    assert.equal((JSON.parse(await cli('recovery-kit', 'status', '--json')) as { kits: unknown[] }).kits.length, 1)
    // A bucket of after the kit was made has keys that no kit holds: they are in the backup of the key store alone.
    kit = await make()
    await cli('recovery-kit', 'test', file(2), file(3))
  })

  test('leaves none of its secrets with the gateway', async () => {
    const share = /--- share ---\n([^\n]+)/.exec(await readFile(file(1), 'utf8'))?.[1] as string
    const { keys } = JSON.parse(await readFile(join(pelago.data, 'unwrap', 'root.key'), 'utf8')) as {
      keys: { key: string }[]
    }
    const secrets = [share, ...keys.flatMap(({ key }) => [key, Buffer.from(key, 'hex')])]
    for (const folder of ['gateway', 'log']) {
      for (const name of readdirSync(join(pelago.data, folder))) {
        const held = readFileSync(join(pelago.data, folder, name))
        for (const secret of secrets) assert.ok(!held.includes(secret), `${folder}/${name}`)
      }
    }
  })

  test('brings back a lost machine: every byte of every object is there', async () => {
    const lost = pelago.data
    await pelago.stop()
    // What is on other machines, and the backup of the index, which is elsewhere too.
    const data = await mkdtemp(join(tmpdir(), 'pelago-restored-'))
    for (const name of ['federation', 'providers', 'pelago.json', 'quota.json'])
      renameSync(join(lost, name), join(data, name))
    const backup = join(files, 'backup')
    mkdirSync(backup)
    for (const name of readdirSync(join(lost, 'gateway')))
      if (/^(index|keys)\.db/.test(name)) cpSync(join(lost, 'gateway', name), join(backup, name))
    await rm(lost, { recursive: true })

    await refused(alone('recovery-kit', 'restore', file(1), file(1), '--data', data), /twice/)
    const nothing = join(files, 'nothing')
    writeFileSync(nothing, 'no share at all')
    await refused(alone('recovery-kit', 'restore', file(1), nothing, '--data', data), /no share of a recovery kit/)
    assert.ok(!existsSync(join(data, 'unwrap')), 'nothing was put back')

    const restored = await alone('recovery-kit', 'restore', file(1), file(3), '--data', data, '--json')
    assert.equal(restored.code, 0, restored.err)
    const facts = JSON.parse(restored.out) as { epochs: number; missing: string[] }
    assert.ok(facts.epochs >= 2)
    assert.deepEqual(facts.missing, [])
    for (const role of ['unwrap', 'gateway']) {
      const config = readFileSync(join(data, role, 'config.json'), 'utf8')
      assert.ok(config.includes(join(data, role, 'key.pem')) && !config.includes(lost), config)
    }
    await refused(alone('recovery-kit', 'restore', file(1), file(3), '--data', data), /exists already/)

    for (const name of readdirSync(backup).filter((one) => one.startsWith('index')))
      cpSync(join(backup, name), join(data, 'gateway', name))
    pelago = await startPelago({ data, words: ['--demand-kit'] })
    await readAll('kept')
    await readAll('late')
    assert.match(await cli('status'), /Recovery kit: tested/)
    await cli('bucket', 'create', 'again')
    await putAll('again')
    await readAll('again')
    await cli('log', 'verify')
  })
})
