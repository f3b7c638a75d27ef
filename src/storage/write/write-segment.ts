import { hasCode, turn } from '#kernel'
import { type Policy, type Provider, survives } from '#pool'
import { storageError } from '../errors.ts'
import { freshName, type Ground } from '../ground.ts'
import { type PlannedShard, planShards } from '../index/intents.store.ts'
import type { Segment } from '../index/segment.ts'
import { type Choice, chooseHolders, chooseSpare } from './choose.ts'
import type { OpenContents } from './contents.ts'
import type { RowEncoder } from './encode-row.ts'
import { settle } from './settle.ts'
import { openShardUpload, type ShardUpload } from './shard-upload.ts'

/** Cells of one shard that may wait to be sent; more would only grow memory while the slowest catches up. */
const waitingCells = 3

export type SegmentJob = {
  /** Whose policy it keeps: a bucket, or a class of packs. */
  scope: { id: string; policy: Policy }
  /** The intent that names every shard before it is written. */
  intent: string
  body: string
  position: number
  contents: OpenContents
  /** Where it goes, if that was planned before. */
  planned?: PlannedSegment
  signal: AbortSignal
}

/** Holders and names of shards that an intent plans already. */
export type PlannedSegment = {
  choice: Choice
  shards: readonly PlannedShard[]
  /** Version of the directory that the holders are out of. */
  directory: number
  /** When the intent expires. */
  expiresAt: number
}

/**
 * Seals, codes and stores one segment; resolves when all its shards are durable at providers that keep the policy's promise.
 * A shard that fails or stalls goes to a spare; without one, the segment is begun again on the providers that are left.
 * @throws pool.short, pool.full, commit.lost, or why the body broke off
 */
export async function writeSegment(ground: Ground, job: SegmentJob): Promise<Segment> {
  const avoid = new Set<string>()
  let trouble: unknown
  for (let attempt = 1; attempt <= ground.limits.attempts; attempt++) {
    job.signal.throwIfAborted()
    const fresh = chooseAgain(ground, job.scope.policy, avoid, trouble)
    const planned = attempt === 1 && job.planned && isGood(ground, job.planned, fresh) ? job.planned : undefined
    const controller = new AbortController()
    const forward = () => controller.abort(job.signal.reason)
    job.signal.addEventListener('abort', forward, { once: true })
    try {
      const outcome = await ground.spans.within('segment.write', () =>
        attemptSegment(ground, job, planned?.choice ?? fresh, planned?.shards, controller.signal),
      )
      if ('segment' in outcome) {
        ground.meters.segments.written.add()
        return outcome.segment
      }
      ground.meters.segments.again.add()
      for (const provider of outcome.failed.keys()) avoid.add(provider)
      trouble = [...outcome.failed.values()][0]
      ground.log('warn', 'segment.again', { attempt, avoided: [...avoid].join(',') })
    } finally {
      job.signal.removeEventListener('abort', forward)
      controller.abort(new Error('the attempt is over'))
    }
  }
  if (hasCode(trouble, 'shard.full')) throw storageError('pool.full', {}, trouble)
  throw storageError('write.troubled', { attempts: ground.limits.attempts }, trouble)
}

/** Providers that turned out to be full are avoided; when too few are left because of that, room is what is missing. */
function chooseAgain(ground: Ground, policy: Policy, avoid: ReadonlySet<string>, trouble: unknown): Choice {
  try {
    return chooseHolders(ground, policy, avoid)
  } catch (error) {
    if (hasCode(error, 'pool.short') && hasCode(trouble, 'shard.full')) throw storageError('pool.full', {}, error)
    throw error
  }
}

type Outcome = { segment: Segment } | { failed: Map<string, unknown> }

/** Whether a segment may go where it was planned: nothing speaks against it now, and there is as much time for it as with a new plan. */
function isGood(ground: Ground, { choice, directory, expiresAt }: PlannedSegment, fresh: Choice): boolean {
  if (ground.directory().version !== directory) return false
  if (ground.clock.now() > expiresAt - ground.limits.intentMs) return false
  // A wider code may have become possible, or a lesser promise.
  if (choice.k !== fresh.k || choice.m !== fresh.m) return false
  if (choice.policy.survive.providers !== fresh.policy.survive.providers) return false
  return choice.holders.every(({ id }) => {
    const { state, full } = ground.health.of(id)
    return state === 'alive' && !full
  })
}

async function attemptSegment(
  ground: Ground,
  job: SegmentJob,
  choice: Choice,
  planned: readonly PlannedShard[] | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const { scope } = job
  const { shape, encoder, ready, sealed } = await job.contents(choice)
  const open = async (providers: readonly Provider[]): Promise<ShardUpload[]> => {
    const shards = providers.map((provider) => ({ provider: provider.id, name: freshName(ground) }))
    await plan(ground, job.intent, shards)
    return shards.map(begin)
  }
  const begin = (shard: PlannedShard) => openShardUpload(ground, shard, shape, signal)

  const holders = [...choice.holders]
  const uploads = planned ? planned.map(begin) : await open(holders)
  const failed = new Map<string, unknown>()
  const hopeless = () => noteFailures(uploads, failed) && !spared(ground, choice, holders, uploads, failed)
  const encoding = ground.spans.begin('segment.encode')
  for (let row = 0; row < encoder.rows; row++) {
    await ready(row)
    if (row > 0) await turn(ground.clock)
    signal.throwIfAborted()
    encoder.row(row).forEach((cell, shard) => {
      uploads[shard]?.push(cell)
    })
    await settle(ground, uploads, choice.k, (upload) => upload.drained(waitingCells))
    if (hopeless()) return { failed }
  }
  encoding?.end()
  await settle(ground, uploads, choice.k, (upload) => upload.finish())

  while (noteFailures(uploads, failed)) {
    const shard = uploads.findIndex((upload) => upload.failure() !== undefined)
    const spare = chooseSpare(ground, choice.policy, without(holders, shard), choice.k, new Set(failed.keys()))
    if (!spare) return { failed }
    const [upload] = await open([spare])
    if (!upload) return { failed }
    await pushShard(ground, encoder, upload, shard)
    uploads[shard] = upload
    holders[shard] = spare
  }
  signal.throwIfAborted()
  if (!survives(holders, choice.k, choice.policy)) {
    throw storageError('pool.short', { alive: holders.length, promise: `${scope.policy.survive.providers} providers` })
  }
  return {
    segment: {
      body: job.body,
      position: job.position,
      scope: scope.id,
      generation: 1,
      size: shape.size,
      k: choice.k,
      m: choice.m,
      holders: holders.map((provider) => provider.id),
      names: uploads.map((upload) => upload.shard.name),
      ...sealed,
    },
  }
}

/** Every shard is named in the index before its first byte leaves, so that none can be left behind unseen. */
export async function plan(ground: Ground, intent: string, shards: PlannedShard[]): Promise<void> {
  const expiresAt = ground.clock.now() + ground.limits.intentMs
  // It decides by the intent's own row, which it writes.
  const open = await ground.index.transact(() => planShards(intent, expiresAt, shards), 'snapshot')
  if (!open) throw storageError('commit.lost')
}

/** Sends one whole shard, made again from the plaintext. */
async function pushShard(ground: Ground, encoder: RowEncoder, upload: ShardUpload, shard: number): Promise<void> {
  for (let row = 0; row < encoder.rows && upload.failure() === undefined; row++) {
    upload.push(encoder.cell(row, shard))
    await settle(ground, [upload], 2, () => upload.drained(waitingCells))
  }
  await settle(ground, [upload], 2, () => upload.finish())
}

/** Adds what failed to `failed`. @returns whether any upload is in failure now */
function noteFailures(uploads: readonly ShardUpload[], failed: Map<string, unknown>): boolean {
  let any = false
  for (const upload of uploads) {
    if (upload.failure() === undefined) continue
    failed.set(upload.shard.provider, upload.failure())
    any = true
  }
  return any
}

/** Whether every failed shard could find a spare: if not, going on with this code is wasted work. */
function spared(
  ground: Ground,
  choice: Choice,
  holders: readonly Provider[],
  uploads: readonly ShardUpload[],
  failed: ReadonlyMap<string, unknown>,
): boolean {
  const next = [...holders]
  for (const [shard, upload] of uploads.entries()) {
    if (upload.failure() === undefined) continue
    const spare = chooseSpare(ground, choice.policy, without(next, shard), choice.k, new Set(failed.keys()))
    if (!spare) return false
    next[shard] = spare
  }
  return true
}

const without = (holders: readonly Provider[], shard: number) => holders.filter((_, at) => at !== shard)
