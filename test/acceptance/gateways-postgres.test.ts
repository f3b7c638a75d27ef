import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as s3 from '@aws-sdk/client-s3'
import { findPostgres, startPostgres } from '../tools/postgres.ts'
import { type Pelago, startPelago } from './start-pelago.ts'

const writers = 32
const password = 'only-in-a-file-7f3a'

describe('four gateways over one PostgreSQL, each on a port of its own', {
  skip: findPostgres() === undefined && 'PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql',
}, () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let pelago: Pelago
  let folder: string
  let clients: s3.S3Client[]
  before(async () => {
    server = await startPostgres({ password })
    folder = await mkdtemp(join(tmpdir(), 'pelago-secret-'))
    await writeFile(join(folder, 'password'), `${password}\n`, { mode: 0o600 })
    const words = ['--gateways', '4', '--separate-ports', '--postgres', server.url]
    pelago = await startPelago({ words: [...words, '--postgres-password-file', join(folder, 'password')] })
    clients = pelago.endpoints.map(
      (endpoint) =>
        new s3.S3Client({
          ...{ endpoint, region: pelago.region, forcePathStyle: true, maxAttempts: 8 },
          credentials: { accessKeyId: pelago.accessKeyId, secretAccessKey: pelago.secretAccessKey },
        }),
    )
  })
  after(async () => {
    for (const client of clients ?? []) client.destroy()
    await pelago?.close()
    await server?.stop()
    if (folder) await rm(folder, { recursive: true })
  })
  const client = (at: number) => clients[at % clients.length] as s3.S3Client
  const read = async (at: number, Key: string) => {
    const { Body } = await client(at).send(new s3.GetObjectCommand({ Bucket: 'shared', Key }))
    return Body?.transformToString()
  }

  test('what one has stored, every other one reads', async () => {
    assert.equal(new Set(pelago.endpoints).size, 4)
    await client(0).send(new s3.CreateBucketCommand({ Bucket: 'shared' }))
    const bodyOf = (at: number) => `object ${at} `.repeat(1 + at * 900)
    const all = Array.from({ length: 16 }, (_, at) => at)
    await Promise.all(
      all.map((at) => client(at).send(new s3.PutObjectCommand({ Bucket: 'shared', Key: `k${at}`, Body: bodyOf(at) }))),
    )
    const found = await Promise.all(all.map((at) => read(at + 1, `k${at}`)))
    assert.deepEqual(found, all.map(bodyOf))
    const { KeyCount } = await client(3).send(new s3.ListObjectsV2Command({ Bucket: 'shared' }))
    assert.equal(KeyCount, all.length)
  })

  test('of 32 writers who each want to be the first, exactly one is, small or large', async () => {
    for (const [round, size] of [100, 100, 2_000_000].entries()) {
      const bodyOf = (at: number) => `writer ${at} `.padEnd(size, '.')
      const put = (at: number) =>
        client(at).send(
          new s3.PutObjectCommand({ Bucket: 'shared', Key: `first ${round}`, Body: bodyOf(at), IfNoneMatch: '*' }),
        )
      const outcomes = await Promise.allSettled(Array.from({ length: writers }, (_, at) => put(at)))
      const winners = outcomes.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []))
      assert.equal(winners.length, 1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.equal((outcome.reason as Error).name, 'PreconditionFailed')
      }
      for (const at of [0, 1, 2, 3]) assert.equal(await read(at, `first ${round}`), bodyOf(winners[0] as number))
    }
  })

  test('a quota is used to its last byte by all gateways together, and no further', async () => {
    const Bucket = 'bounded'
    await client(0).send(new s3.CreateBucketCommand({ Bucket }))
    const put = (at: number, Key: string, size: number) =>
      client(at).send(new s3.PutObjectCommand({ Bucket, Key, Body: 'x'.repeat(size) }))
    await put(0, 'before', 500)
    const set = await pelago.cli('quota', 'set', '--bucket', Bucket, '--bytes', '20KiB')
    assert.equal(set.code, 0, set.err)
    // Until what there was before is counted, only what has been counted is held (decision 25).
    while ((await pelago.cli('quota', 'show', '--json')).out.includes('"counting":true')) await sleep(100)
    const most = Math.floor((20 * 1024 - 500) / 1000)
    const outcomes = await Promise.allSettled(Array.from({ length: 2 * most }, (_, at) => put(at, `k${at}`, 1000)))
    const stored = outcomes.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []))
    assert.equal(stored.length, most)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.equal((outcome.reason as Error).name, 'QuotaExceeded')
    }
    // In place of another one it fits, and after a deletion too.
    await put(1, `k${stored[0]}`, 1000)
    await client(2).send(new s3.DeleteObjectCommand({ Bucket, Key: `k${stored[0]}` }))
    await put(3, 'after', 1000)
    await assert.rejects(put(0, 'more', 1000), { name: 'QuotaExceeded' })
    const { out } = await pelago.cli('quota', 'show', '--json')
    const { quotas } = JSON.parse(out) as { quotas: { bucket: string; usedBytes: number; counting: boolean }[] }
    const shown = quotas.map(({ bucket, usedBytes, counting }) => ({ bucket, usedBytes, counting }))
    assert.deepEqual(shown, [{ bucket: Bucket, usedBytes: most * 1000 + 500, counting: false }])
    // A tenant that nobody has made, and words that say nothing.
    const wrong = [await pelago.cli('quota', 'set', '--tenant', 'nobody', '--objects', '5')]
    wrong.push(await pelago.cli('quota', 'set', '--bucket', Bucket), await pelago.cli('quota', 'set', '--none'))
    for (const { code } of wrong) assert.equal(code, 1)
    assert.equal((await pelago.cli('quota', 'set', '--bucket', Bucket, '--none')).code, 0)
    await put(0, 'more', 1000)
  })

  test('a bucket is never deleted under somebody who puts something into it', async () => {
    for (let round = 0; round < 6; round++) {
      const Bucket = `gone${round}`
      await client(round).send(new s3.CreateBucketCommand({ Bucket }))
      const outcomes = await Promise.allSettled([
        ...[0, 1, 2].map((at) => client(at).send(new s3.PutObjectCommand({ Bucket, Key: `k${at}`, Body: 'x' }))),
        client(3).send(new s3.CreateMultipartUploadCommand({ Bucket, Key: 'upload' })),
        client(round).send(new s3.DeleteBucketCommand({ Bucket })),
      ])
      const [deleted, ...stored] = outcomes.map(({ status }) => status === 'fulfilled').reverse()
      assert.ok(!deleted || !stored.includes(true), 'both were done')
    }
  })

  test('the password is in no list of processes, log, configuration or status', async () => {
    const { out } = await pelago.cli('status', '--json')
    const pids = [pelago.pid, ...[...out.matchAll(/"pid":(\d+)/g)].map(([, pid]) => Number(pid))]
    assert.ok(pids.length > 10)
    const texts = [out, pelago.said(), ...pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))]
    for (const path of readdirSync(pelago.data, { recursive: true, encoding: 'utf8' })) {
      if (/\.(json|log)$/.test(path)) texts.push(readFileSync(join(pelago.data, path), 'utf8'))
    }
    assert.ok(texts.length > 20)
    for (const text of texts) assert.ok(!text.includes(password))
    const refused = await pelago.cli('up', '--postgres', 'postgres://me:secret@127.0.0.1/db', '--port', '0')
    assert.deepEqual([refused.code, refused.err.includes('secret')], [1, false])
  })
})
