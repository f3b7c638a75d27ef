import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { type Pelago, startPelago } from './start-pelago.ts'

/**
 * What one request may take of the loop at a time. Of five tries the second shortest counts: a collector's pause is no request's
 * fault, and beside others on the machine everything takes more.
 */
const mostMs = 10
const tries = 5
const mebibyte = 1024 * 1024
const Bucket = 'loop'

describe('no request keeps the others waiting', () => {
  let pelago: Pelago
  let client: s3.S3Client
  let folder: string
  let report: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pelago-loop-'))
    report = join(folder, 'report')
    const entry = join(import.meta.dirname, '..', 'tools', 'watched-entry.ts')
    pelago = await startPelago({ entry, env: { ...process.env, PELAGO_LOOP_REPORT: report } })
    const credentials = { accessKeyId: pelago.accessKeyId, secretAccessKey: pelago.secretAccessKey }
    client = new s3.S3Client({ endpoint: pelago.s3, region: pelago.region, credentials, forcePathStyle: true })
    await client.send(new s3.CreateBucketCommand({ Bucket }))
    const lanes = Array.from({ length: 32 }, async (_, lane) => {
      for (let at = lane; at < 1000; at += 32)
        await client.send(new s3.PutObjectCommand({ Bucket, Key: `many/${at}`, Body: `object ${at}` }))
    })
    await Promise.all(lanes)
  })
  after(async () => {
    client?.destroy()
    await pelago?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** The longest turn of each try, and what waited for the disk. The first try warms everything up. */
  async function turnsOf(act: (at: number) => Promise<unknown>): Promise<{ longest: number[]; waits: string[] }> {
    const longest: number[] = []
    const waits: string[] = []
    for (let at = 0; at <= tries; at++) {
      await truncate(report)
      await act(at)
      // What the request leaves to be done is its own.
      await new Promise((resolve) => setTimeout(resolve, 50))
      if (at === 0) continue
      const lines = (await readFile(report, 'utf8')).split('\n').filter((line) => line.startsWith('{'))
      const turns = lines.map((line) => JSON.parse(line) as { cpuMs?: number; waits?: string })
      longest.push(Math.max(0, ...turns.map(({ cpuMs }) => cpuMs ?? 0)))
      waits.push(...turns.flatMap(({ waits }) => waits ?? []))
    }
    return { longest: longest.sort((a, b) => a - b), waits }
  }

  const large = randomBytes(64 * mebibyte)
  const small = randomBytes(mebibyte)
  const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex')
  const put = (Key: string, Body: Uint8Array) => client.send(new s3.PutObjectCommand({ Bucket, Key, Body }))
  const get = async (Key: string, Range?: string) => {
    const { Body } = await client.send(new s3.GetObjectCommand({ Bucket, Key, Range }))
    return (await Body?.transformToByteArray()) as Uint8Array
  }
  const requests: Record<string, (at: number) => Promise<unknown>> = {
    'PUT 1 KiB': (at) => put(`tiny/${at}`, small.subarray(0, 1024)),
    'PUT 1 MiB': (at) => put(`small/${at}`, small),
    'PUT 64 MiB': () => put('large', large),
    'GET 1 MiB': async () => assert.equal(md5(await get('small/0')), md5(small)),
    'GET 64 MiB': async () => assert.equal(md5(await get('large')), md5(large)),
    'GET of a range': async () => assert.equal((await get('large', 'bytes=1000000-9000000')).length, 8_000_001),
    'LIST of 1000': async () => {
      const { KeyCount } = await client.send(new s3.ListObjectsV2Command({ Bucket, Prefix: 'many/' }))
      assert.equal(KeyCount, 1000)
    },
    'DELETE of 1000 that are not there': () =>
      client.send(
        new s3.DeleteObjectsCommand({
          Bucket,
          Delete: { Objects: Array.from({ length: 1000 }, (_, at) => ({ Key: `absent/${at}` })), Quiet: true },
        }),
      ),
    'COPY of 64 MiB': () =>
      client.send(new s3.CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/large` })),
  }
  for (const [name, act] of Object.entries(requests)) {
    test(name, async () => {
      const { longest, waits } = await turnsOf(act)
      assert.deepEqual(waits, [], 'calls that wait for the disk')
      const usual = longest[1] as number
      assert.ok(usual <= mostMs, `one turn takes ${usual} ms of CPU (all tries: ${longest.join(', ')})`)
    })
  }
})
