import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Pelago, run, startPelago } from './start-pelago.ts'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'pelago.ts')
const pelagoAlone = (...words: string[]) =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', bin, ...words])
const until = async (what: string, holds: () => Promise<boolean>, limitMs = 60_000) => {
  const end = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

type Provider = { id: string; state: string; pid: number }
type Status = { health: { degraded: number; margins: { margin: number }[]; providers: { state: string }[] } }

describe('pelago up', () => {
  let pelago: Pelago
  let files: string
  const cli = async (...words: string[]) => {
    const { code, out, err } = await pelago.cli(...words)
    assert.equal(code, 0, `${words.join(' ')}: ${err}${out}`)
    return out
  }
  const providers = async () =>
    (JSON.parse(await cli('provider', 'list', '--json')) as { providers: Provider[] }).providers
  const status = async () => JSON.parse((await pelago.cli('status', '--json')).out) as Status

  before(async () => {
    pelago = await startPelago()
    files = await mkdtemp(join(tmpdir(), 'pelago-files-'))
    await writeFile(join(files, 'picture'), randomBytes(3_000_000))
    await writeFile(
      join(files, 'strict.json'),
      JSON.stringify({ jurisdictions: ['DE', 'FR', 'NL'], survive: { providers: 1 } }),
    )
    await writeFile(join(files, 'wider.json'), JSON.stringify({ survive: { providers: 1 } }))
    await writeFile(join(files, 'impossible.json'), JSON.stringify({ attestations: ['C5'] }))
  })
  after(async () => {
    await pelago.close()
    await rm(files, { recursive: true, force: true })
  })

  test('seven providers in six countries run as processes of their own', async () => {
    const all = await providers()
    assert.equal(all.length, 7)
    assert.equal(new Set(all.map(({ pid }) => pid)).size, 7)
    assert.ok(all.every(({ state }) => state === 'running'))
    assert.match(await cli('provider', 'list'), /shannon +IE +Prairie Compute Inc\. \(US\)/)
    assert.match(await cli('status'), /Nothing is stored yet[^]*All 7 providers answer/)
  })

  test('files with keys belong to this user alone', async () => {
    for (const file of ['api-token', 'unwrap/root.key', 'gateway/access.json', 'federation/key.pem']) {
      assert.equal((await stat(join(pelago.data, file))).mode & 0o077, 0, file)
    }
    const logs = await readFile(join(pelago.data, 'log', 'gateway.log'), 'utf8')
    assert.ok(!logs.includes(pelago.secretAccessKey))
  })

  test('buckets by policy; an impossible one is refused with the reason for each provider', async () => {
    assert.match(await cli('bucket', 'create', 'plain'), /survives the loss of 2 providers/)
    assert.match(await cli('bucket', 'create', 'strict', '--policy', join(files, 'strict.json')), /In DE, FR, NL/)
    const refused = await pelago.cli('bucket', 'create', 'never', '--policy', join(files, 'impossible.json'))
    assert.equal(refused.code, 1)
    assert.match(refused.err, /2 of 7 providers are allowed.*reuss: The policy wants C5; it has none\./)
    assert.match((await pelago.cli('bucket', 'create', 'never', '--policy', join(files, 'picture'))).err, /is not JSON/)
    assert.equal(JSON.parse(await cli('bucket', 'policy', 'strict', '--json')).survive.providers, 1)
    assert.match(await cli('bucket', 'list'), /plain[^]*strict/)
  })

  test('object where tells holders and refusals', async () => {
    await cli('object', 'put', join(files, 'picture'), 's3://plain/picture')
    const text = await cli('object', 'where', 's3://plain/picture')
    assert.match(text, /any 4 of 6 shards are enough, survives 2 more losses/)
    assert.match(text, /Refused by the policy:\n +shannon +Its owner Prairie Compute Inc\. is from United States/)
    await cli('object', 'put', join(files, 'picture'), 's3://strict/picture')
    const strict = JSON.parse(await cli('object', 'where', 's3://strict/picture', '--json')) as {
      segments: { shards: { country: string }[] }[]
    }
    for (const shard of strict.segments.flatMap(({ shards }) => shards)) assert.match(shard.country, /DE|FR|NL/)
    assert.match(
      (await pelago.cli('object', 'where', 's3://plain/none')).err,
      /There is no object none in bucket plain/,
    )
  })

  test('a change of policy is a job that can be watched', async () => {
    await cli('bucket', 'policy', 'strict', '--set', join(files, 'wider.json'))
    type Jobs = { jobs: { id: string; kind: string; about: string; state: string; says: string; lasting: boolean }[] }
    const jobs = async () => (JSON.parse(await cli('jobs', '--json')) as Jobs).jobs
    const move = async () => (await jobs()).find(({ kind, about }) => kind === 'storage.move' && about === 'strict')
    await until('the bucket is moved', async () => (await move())?.state === 'done')
    assert.match((await move())?.says ?? '', /^All is in place: /)
    const lasting = (await jobs()).filter((job) => job.lasting).map(({ kind }) => kind)
    assert.deepEqual(lasting.sort(), [
      'journal.seal',
      'storage.compact',
      'storage.repair',
      'storage.rewrap',
      'storage.root',
      'storage.sweep',
      'work.tidy',
    ])
    assert.match(await cli('jobs'), /storage\.repair +(resting|running) +Every segment is as its policy promises/)
    assert.match(await cli('job', 'show', (await move())?.id ?? ''), /storage\.move strict: done/)
    assert.match((await pelago.cli('job', 'cancel', 'storage.repair')).err, /never ends and cannot be cancelled/)
    assert.match((await pelago.cli('job', 'retry', 'nothing')).err, /There is no job nothing/)
  })

  test('two providers are killed: all is read, writes go on, status says so, and the margin comes back by itself', async () => {
    const lost = (await providers()).filter(({ id }) => id === 'loire' || id === 'isar')
    for (const { pid } of lost) process.kill(pid, 'SIGKILL')
    await cli('object', 'get', 's3://plain/picture', join(files, 'during'))
    assert.ok((await readFile(join(files, 'during'))).equals(await readFile(join(files, 'picture'))))
    await cli('object', 'put', join(files, 'picture'), 's3://plain/written-meanwhile')
    const narrow = JSON.parse(await cli('object', 'where', 's3://plain/written-meanwhile', '--json')) as {
      segments: { data: number; parity: number }[]
    }
    assert.deepEqual(
      narrow.segments.map(({ data, parity }) => `${data}+${parity}`),
      ['2+2'],
    )
    const words = await pelago.cli('status')
    assert.match(words.out, /2 of 7 providers do not answer: isar .*loire/)
    assert.match(pelago.said(), /loire has stopped: it was killed \(SIGKILL\)\. It is started again in 10 s\./)
    await until('every promise is kept again', async () => (await status()).health.degraded === 0)
    await until('the killed are back', async () =>
      (await status()).health.providers.every(({ state }) => state === 'alive'),
    )
    await until(
      'the code is wide again',
      async () => {
        const { segments } = JSON.parse(await cli('object', 'where', 's3://plain/written-meanwhile', '--json')) as {
          segments: { data: number }[]
        }
        return segments.every(({ data }) => data === 4)
      },
      90_000,
    )
    assert.deepEqual(
      (await status()).health.margins.map(({ margin }) => margin).filter((margin) => margin < 1),
      [],
    )
  })

  test('a provider that is stopped stays stopped until it is started', async () => {
    await cli('provider', 'stop', 'vecht')
    assert.equal((await providers()).find(({ id }) => id === 'vecht')?.state, 'stopped')
    await cli('provider', 'start', 'vecht')
    assert.equal((await providers()).find(({ id }) => id === 'vecht')?.state, 'running')
    assert.match((await pelago.cli('provider', 'stop', 'nobody')).err, /There is no provider nobody/)
  })

  test('the doctor finds nothing bad', async () => {
    const { findings } = JSON.parse(await cli('doctor', '--json')) as { findings: { step: string; state: string }[] }
    assert.ok(findings.length > 10)
    assert.deepEqual(
      findings.filter(({ state }) => state === 'bad'),
      [],
    )
  })

  test('a second copy on the same data is refused, and so is a taken port, and a foreign folder', async () => {
    const second = await pelagoAlone('up', '--data', pelago.data, '--port', '0')
    assert.equal(second.code, 1)
    assert.match(second.err, /Another Pelago \(process \d+\) uses the folder/)
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const fresh = await mkdtemp(join(tmpdir(), 'pelago-port-'))
    const taken = await pelagoAlone('up', '--data', fresh, '--port', String(port))
    assert.match(taken.err, new RegExp(`Port ${port} on 127.0.0.1 is taken.*--port`))
    server.close()
    const foreign = await pelagoAlone('up', '--data', files, '--port', '0')
    assert.match(foreign.err, /holds something else than data of Pelago/)
    const reset = await pelagoAlone('up', '--data', fresh, '--port', '0', '--reset')
    assert.match(reset.out, /--reset needs --yes/)
    await rm(fresh, { recursive: true })
  })

  test('stopping ends every process; the next start finds everything', async () => {
    const before = await providers()
    assert.equal(await pelago.stop(), 0)
    for (const { pid } of before) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    pelago = await startPelago({ data: pelago.data })
    await cli('object', 'get', 's3://plain/picture', join(files, 'later'))
    assert.ok((await readFile(join(files, 'later'))).equals(await readFile(join(files, 'picture'))))
  })

  test('when the supervisor is killed, no child goes on alone', async () => {
    const before = await providers()
    process.kill(pelago.pid, 'SIGKILL')
    const gone = (pid: number) => {
      try {
        process.kill(pid, 0)
        return false
      } catch (error) {
        return (error as { code: string }).code === 'ESRCH'
      }
    }
    await until('the children end', async () => before.every(({ pid }) => gone(pid)))
    pelago = await startPelago({ data: pelago.data })
    await cli('object', 'get', 's3://plain/picture', join(files, 'last'))
  })
})
