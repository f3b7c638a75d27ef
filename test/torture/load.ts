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
  /** The longest time in which no gateway answered anything as it should, milliseconds. */
  longestSilenceMs(): number
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
  let answeredAt = performance.now()
  let longestMs = 0
  const count = (what: string) => {
    counts.set(what, (counts.get(what) ?? 0) + 1)
    if (!what.endsWith(': done') && !what.endsWith(': refused')) return
    const now = performance.now()
    longestMs = Math.max(longestMs, now - answeredAt)
    answeredAt = now
  }

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

  /** A write on a condition; `before` is what it wants to replace. */
  const conditional = async (
    what: string,
    oracle: KeyOracle,
    Key: string,
    before: Held,
    put: () => Promise<unknown>,
  ) => {
    let unmet = false
    const outcome = await told(what, () =>
      put().catch((error: unknown) => {
        unmet = (error as Error).name === 'PreconditionFailed'
        throw error
      }),
    )
    const wrong = oracle.judged(before, unmet ? 'condition' : outcome)
    if (wrong !== undefined) faults.push(`${Key}: ${what} ${wrong}`)
    return outcome
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
      if (kind < 30) {
        const { id, Body, Metadata } = content(dice)
        const put = () => client().send(new s3.PutObjectCommand({ Bucket: bucket, Key, Body, Metadata }))
        oracle.wrote(id, await told('put', put))
      } else if (kind < 60) {
        await read(client(), Key, oracle, dice)
      } else if (kind < 70) {
        const remove = () => client().send(new s3.DeleteObjectCommand({ Bucket: bucket, Key }))
        oracle.wrote('nothing', await told('delete', remove))
      } else if (kind < 78) {
        const { id, Body, Metadata } = content(dice)
        const put = () =>
          client().send(new s3.PutObjectCommand({ Bucket: bucket, Key, Body, Metadata, IfNoneMatch: '*' }))
        oracle.wrote(id, await conditional('put if new', oracle, Key, 'nothing', put))
      } else if (kind < 84) {
        await replace(dice, Key, oracle)
      } else if (kind < 89) {
        await upload(dice, Key, oracle)
      } else if (kind < 94) {
        await race(dice, `race/${number}-${generation++}`)
      } else {
        await list(client(), `w${number}/`)
      }
      // A key of which much is open says little; it is looked at again at the end.
      if (oracle.open() && dice.chance(0.5)) keys[at] = fresh()
    }
  }

  const look = (Key: string, oracle: KeyOracle, what: string, found: Held): void => {
    count(`${what}: done`)
    const wrong = oracle.saw(found)
    if (wrong !== undefined) faults.push(`${Key}: ${what} ${wrong}`)
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
      if (name === 'InvalidRange') return count('get: no such range')
      if (name !== 'NoSuchKey') return count('get: unanswered')
      found = 'nothing'
    }
    look(Key, oracle, 'get', found)
    if (typeof found === 'number' && !isContent(found, sizes, bytes, from))
      faults.push(`${Key}: other bytes than ${found}`)
  }

  /** Reads what is there and replaces that, if it is there still. */
  const replace = async (dice: Dice, Key: string, oracle: KeyOracle) => {
    const client = () => world.client(dice.below(world.gateways))
    let head: s3.HeadObjectCommandOutput
    try {
      head = await client().send(new s3.HeadObjectCommand({ Bucket: bucket, Key }))
    } catch (error) {
      if ((error as Error).name !== 'NotFound') return count('head: unanswered')
      return look(Key, oracle, 'head', 'nothing')
    }
    const before = Number(head.Metadata?.content)
    look(Key, oracle, 'head', before)
    const { id, Body, Metadata } = content(dice)
    const input = { Bucket: bucket, Key, Body, Metadata, IfMatch: head.ETag }
    const put = () => client().send(new s3.PutObjectCommand(input))
    oracle.wrote(id, await conditional('put if same', oracle, Key, before, put))
  }

  /** A worker's own keys, which nobody else writes: each is listed, or not, as it may be. */
  const list = async (client: s3.S3Client, Prefix: string) => {
    let there: Set<string>
    try {
      there = await listAll(client, Prefix)
    } catch {
      return count('list: unanswered')
    }
    count('list: done')
    for (const [key, oracle] of oracles) {
      const wrong = key.startsWith(Prefix) ? oracle.listed(there.has(key)) : undefined
      if (wrong !== undefined) faults.push(`${key}: ${wrong}`)
    }
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
        return count('upload: aborted')
      }
      const complete = new s3.CompleteMultipartUploadCommand({ ...base, UploadId, MultipartUpload: { Parts } })
      oracle.wrote(id, await told('upload', () => client().send(complete)))
    } catch {
      count('upload: broken off')
    }
  }

  /** Many want to be the first with a key, then many to replace what the first one wrote. */
  const race = async (dice: Dice, Key: string) => {
    // Short ones would have the same bytes, and so the same ETag.
    const size = dice.chance(0.8) ? 64 + dice.below(3000) : 1_200_000
    const contest = (what: string, condition: { IfNoneMatch: '*' } | { IfMatch: string }) =>
      Promise.all(
        Array.from({ length: 2 * world.gateways }, async (_, at) => {
          const value = nextContent++
          sizes.set(value, size)
          const Metadata = { content: String(value) }
          const input = { Bucket: bucket, Key, Body: bytesOf({ id: value, size }), Metadata, ...condition }
          let ETag: string | undefined
          const outcome = await told(what, async () => {
            ;({ ETag } = await world.client(at).send(new s3.PutObjectCommand(input)))
          })
          return { value, told: outcome, ETag }
        }),
      )
    const first = await contest('race to be first', { IfNoneMatch: '*' })
    let result = raceOf(first, 'nothing')
    const winner = first.find((one) => one.told === 'done')
    if (!('wrong' in result) && winner?.ETag !== undefined)
      result = raceOf(await contest('race to replace', { IfMatch: winner.ETag }), winner.value)
    if ('wrong' in result) faults.push(`${Key}: ${result.wrong}`)
    else races.set(Key, result.allowed)
  }

  const running = Array.from({ length: workers }, (_, number) => worker(number))
  return {
    ...{ sizes, faults, counts },
    longestSilenceMs: () => longestMs,
    allowed: () => new Map([...[...oracles].map(([key, oracle]) => [key, oracle.allowed()] as const), ...races]),
    async stop() {
      stopped = true
      await Promise.all(running)
      longestMs = Math.max(longestMs, performance.now() - answeredAt)
    },
  }
}

/** Every key of the bucket that begins so. */
export async function listAll(client: s3.S3Client, Prefix?: string): Promise<Set<string>> {
  const keys = new Set<string>()
  let ContinuationToken: string | undefined
  do {
    const page: s3.ListObjectsV2CommandOutput = await client.send(
      new s3.ListObjectsV2Command({ Bucket: bucket, Prefix, ContinuationToken }),
    )
    for (const { Key } of page.Contents ?? []) keys.add(Key as string)
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken !== undefined)
  return keys
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
