import { createHash } from 'node:crypto'
import * as s3 from '@aws-sdk/client-s3'
import { bytesOf } from '../../sim/content.ts'
import { type Dice, openDice } from './dice.ts'
import { type Held, KeyOracle, raceOf, type Told } from './oracle.ts'
import type { World } from './world.ts'

export const bucket = 'torture'
const keysPerWorker = 6
const partBytes = 5 * 1024 * 1024

export type Load = {
  /** Key -> what may be found there. */
  allowed(): Map<string, Set<Held>>
  sizes: Map<number, number>
  /** What went wrong: each is a promise that was not kept. */
  faults: string[]
  counts: Map<string, number>
  stop(): Promise<void>
}

/** Workers that write, read, delete, upload and race, and hold every answer against what may be. */
export function startLoad(world: World, seed: number, workers: number): Load {
  const oracles = new Map<string, KeyOracle>()
  const races = new Map<string, Set<Held>>()
  const sizes = new Map<number, number>()
  const faults: string[] = []
  const counts = new Map<string, number>()
  let nextContent = 1
  let stopped = false
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)

  const content = (dice: Dice) => {
    const size = sizeOf(dice)
    const id = nextContent++
    sizes.set(id, size)
    return { id, size, Body: bytesOf({ id, size }), Metadata: { content: String(id) } }
  }
  const told = async (what: string, act: () => Promise<unknown>): Promise<Told> => {
    try {
      await act()
      count(`${what}: done`)
      return 'done'
    } catch (error) {
      const status = (error as s3.S3ServiceException).$metadata?.httpStatusCode ?? 0
      // A refusal that names its reason did nothing; a failure of the server, or silence, says nothing.
      const outcome = status >= 400 && status < 500 ? 'refused' : 'unknown'
      count(`${what}: ${outcome}`)
      return outcome
    }
  }

  const worker = async (number: number) => {
    const dice = openDice(seed * 1000 + number)
    let generation = 0
    const fresh = () => `w${number}/k${generation++}`
    const keys = Array.from({ length: keysPerWorker }, fresh)
    const client = () => world.client(dice.below(world.gateways))
    while (!stopped) {
      const at = dice.below(keys.length)
      const Key = keys[at] as string
      let oracle = oracles.get(Key)
      if (!oracle) oracles.set(Key, (oracle = new KeyOracle()))
      const kind = dice.below(100)
      if (kind < 35) {
        const { id, Body, Metadata } = content(dice)
        const put = () => client().send(new s3.PutObjectCommand({ Bucket: bucket, Key, Body, Metadata }))
        oracle.wrote(id, await told('put', put))
      } else if (kind < 65) {
        await read(client(), Key, oracle, dice)
      } else if (kind < 75) {
        const remove = () => client().send(new s3.DeleteObjectCommand({ Bucket: bucket, Key }))
        oracle.wrote('nothing', await told('delete', remove))
      } else if (kind < 85) {
        const { id, Body, Metadata } = content(dice)
        const put = () =>
          client().send(new s3.PutObjectCommand({ Bucket: bucket, Key, Body, Metadata, IfNoneMatch: '*' }))
        oracle.wrote(id, await told('put if new', put))
      } else if (kind < 90) {
        await upload(dice, Key, oracle)
      } else if (kind < 95) {
        await race(dice, `race/${number}-${generation++}`)
      } else {
        await client()
          .send(new s3.ListObjectsV2Command({ Bucket: bucket, Prefix: `w${number}/` }))
          .then(
            () => count('list: done'),
            () => count('list: unanswered'),
          )
      }
      // A key of which much is open says little; it is looked at again at the end.
      if (oracle.open() && dice.chance(0.5)) keys[at] = fresh()
    }
  }

  const read = async (client: s3.S3Client, Key: string, oracle: KeyOracle, dice: Dice) => {
    let found: Held
    let bytes: Uint8Array | undefined
    const from = dice.chance(0.3) ? dice.below(5000) : 0
    try {
      const Range = from > 0 ? `bytes=${from}-` : undefined
      const answer = await client.send(new s3.GetObjectCommand({ Bucket: bucket, Key, ...(Range && { Range }) }))
      bytes = await answer.Body?.transformToByteArray()
      found = Number(answer.Metadata?.content)
    } catch (error) {
      const { name } = error as Error
      if (name === 'InvalidRange') return void count('get: no such range')
      if (name !== 'NoSuchKey') return void count('get: unanswered')
      found = 'nothing'
    }
    count('get: done')
    const wrong = oracle.saw(found)
    if (wrong !== undefined) faults.push(`${Key}: ${wrong}`)
    if (typeof found === 'number' && !isContent(found, sizes, bytes, from))
      faults.push(`${Key}: other bytes than ${found}`)
  }

  const upload = async (dice: Dice, Key: string, oracle: KeyOracle) => {
    const id = nextContent++
    const size = partBytes + dice.below(400_000) + 1
    sizes.set(id, size)
    const whole = bytesOf({ id, size })
    const parts = [whole.subarray(0, partBytes), whole.subarray(partBytes)]
    const client = () => world.client(dice.below(world.gateways))
    const base = { Bucket: bucket, Key }
    try {
      const begun = await client().send(
        new s3.CreateMultipartUploadCommand({ ...base, Metadata: { content: String(id) } }),
      )
      const UploadId = begun.UploadId as string
      const Parts = []
      for (const [at, Body] of parts.entries()) {
        const input = { ...base, UploadId, PartNumber: at + 1, Body }
        const { ETag } = await client().send(new s3.UploadPartCommand(input))
        Parts.push({ ETag, PartNumber: at + 1 })
      }
      if (dice.chance(0.2)) {
        await client().send(new s3.AbortMultipartUploadCommand({ ...base, UploadId }))
        return void count('upload: aborted')
      }
      const complete = new s3.CompleteMultipartUploadCommand({ ...base, UploadId, MultipartUpload: { Parts } })
      oracle.wrote(id, await told('upload', () => client().send(complete)))
    } catch {
      count('upload: broken off')
    }
  }

  const race = async (dice: Dice, Key: string) => {
    const size = dice.chance(0.8) ? dice.below(3000) : 1_200_000
    const outcomes = await Promise.all(
      Array.from({ length: 2 * world.gateways }, async (_, at) => {
        const value = nextContent++
        sizes.set(value, size)
        const input = { Bucket: bucket, Key, Body: bytesOf({ id: value, size }), IfNoneMatch: '*' }
        const command = new s3.PutObjectCommand({ ...input, Metadata: { content: String(value) } })
        return { value, told: await told('race', () => world.client(at).send(command)) }
      }),
    )
    const result = raceOf(outcomes)
    if ('wrong' in result) faults.push(`${Key}: ${result.wrong}`)
    else races.set(Key, result.allowed)
  }

  const running = Array.from({ length: workers }, (_, number) => worker(number))
  return {
    ...{ sizes, faults, counts },
    allowed: () => new Map([...[...oracles].map(([key, oracle]) => [key, oracle.allowed()] as const), ...races]),
    async stop() {
      stopped = true
      await Promise.all(running)
    },
  }
}

function sizeOf(dice: Dice): number {
  const kind = dice.below(100)
  if (kind < 70) return dice.below(20_000)
  if (kind < 90) return dice.below(300_000)
  if (kind < 98) return 1024 * 1024 + dice.below(2_000_000)
  return 33 * 1024 * 1024
}

/** Whether these are the bytes of a content from an offset on. Hashes are compared: a mismatch prints nothing long. */
export function isContent(
  id: number,
  sizes: ReadonlyMap<number, number>,
  bytes: Uint8Array | undefined,
  from = 0,
): boolean {
  const size = sizes.get(id)
  if (size === undefined || !bytes) return false
  const digest = (part: Uint8Array) => createHash('sha256').update(part).digest('hex')
  return digest(bytes) === digest(bytesOf({ id, size }).subarray(from))
}
