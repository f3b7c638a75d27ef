import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { S3Client } from '@aws-sdk/client-s3'
import * as s3 from '@aws-sdk/client-s3'
import { type Pelago, startPelago } from './start-pelago.ts'

/** Several gateway processes on one machine, one port and one index. */
const several = process.platform === 'linux' ? {} : { skip: 'several processes share a port on Linux only' }
const writers = 32

let pelago: Pelago
before(async () => {
  if (!several.skip) pelago = await startPelago({ words: ['--gateways', '3'] })
})
after(() => pelago?.close())

/** A client of its own has a connection of its own, so that the kernel hands it to any gateway. */
function freshClient(): S3Client {
  const credentials = { accessKeyId: pelago.accessKeyId, secretAccessKey: pelago.secretAccessKey }
  return new S3Client({ endpoint: pelago.s3, region: pelago.region, credentials, forcePathStyle: true, maxAttempts: 5 })
}

async function once<T>(act: (client: S3Client) => Promise<T>): Promise<T> {
  const client = freshClient()
  try {
    return await act(client)
  } finally {
    client.destroy()
  }
}

type Process = { name: string; role: string; pid: number | null; state: string }

async function gateways(): Promise<Process[]> {
  const { out } = await pelago.cli('status', '--json')
  const { status } = JSON.parse(out) as { status: { processes: Process[] } }
  return status.processes.filter(({ role }) => role === 'gateway')
}

const bodyOf = (at: number) => `object ${at} `.repeat(1 + at * 40)

test('what one gateway has stored, every other one reads, also when it is gone', several, async () => {
  await once((client) => client.send(new s3.CreateBucketCommand({ Bucket: 'several' })))
  assert.deepEqual(
    (await gateways()).map(({ state }) => state),
    ['running', 'running', 'running'],
  )
  const keys = Array.from({ length: 24 }, (_, at) => `k${at}`)
  await Promise.all(
    keys.map((Key, at) =>
      once((client) => client.send(new s3.PutObjectCommand({ Bucket: 'several', Key, Body: bodyOf(at) }))),
    ),
  )
  const readAll = () =>
    Promise.all(
      keys.map((Key, at) =>
        once(async (client) => {
          const { Body } = await client.send(new s3.GetObjectCommand({ Bucket: 'several', Key }))
          assert.equal(await Body?.transformToString(), bodyOf(at))
        }),
      ),
    )
  await readAll()
  for (const name of ['gateway-2', 'gateway-3']) {
    const victim = (await gateways()).find((gateway) => gateway.name === name)
    process.kill(victim?.pid as number, 'SIGKILL')
  }
  await readAll()
  const { KeyCount } = await once((client) => client.send(new s3.ListObjectsV2Command({ Bucket: 'several' })))
  assert.equal(KeyCount, keys.length)
  for (let wait = 0; (await gateways()).some(({ state }) => state !== 'running'); wait++) {
    assert.ok(wait < 100, 'a gateway that was killed does not come back')
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
})

test('of 32 writers over several gateways who each want to be the first, exactly one is', several, async () => {
  for (const round of [1, 2, 3]) {
    const outcomes = await Promise.allSettled(
      Array.from({ length: writers }, (_, at) =>
        once((client) =>
          client.send(
            new s3.PutObjectCommand({
              Bucket: 'several',
              Key: `first ${round}`,
              Body: `writer ${at}`,
              IfNoneMatch: '*',
            }),
          ),
        ),
      ),
    )
    const winners = outcomes.flatMap((outcome, at) => (outcome.status === 'fulfilled' ? [at] : []))
    assert.equal(winners.length, 1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.equal(outcome.reason.name, 'PreconditionFailed')
    }
    await once(async (client) => {
      const { Body } = await client.send(new s3.GetObjectCommand({ Bucket: 'several', Key: `first ${round}` }))
      assert.equal(await Body?.transformToString(), `writer ${winners[0]}`)
    })
  }
})
