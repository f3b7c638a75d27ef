import type { Ground } from '../ground.ts'
import {
  buryIntents,
  deleteStray,
  dueStrays,
  insertStray,
  killIntents,
  type PlannedShard,
  postponeStray,
} from '../index/intents.store.ts'
import { deleteDeadBody, dueBodies } from '../index/bodies.store.ts'
import { takeBackExpired } from '../index/quotas.store.ts'
import { takeSegments } from '../index/segments.store.ts'
import { forgetFinishedUploads } from '../index/uploads.store.ts'
import type { Guard } from './replace-committed.ts'

const intentsAtOnce = 64
const bodiesAtOnce = 16
/** Segments of dead bodies and shards of given-up writes per step: a step must not keep others waiting. */
const segmentsAtOnce = 64
const shardsAtOnce = 400
const straysAtOnce = 256
const leasesAtOnce = 64
const trashesAtOnce = 16
const keepAnswersMs = 24 * 60 * 60 * 1000

/**
 * One bounded round of cleaning up: writes that were given up, bytes that nothing refers to, shards due for the trash.
 * Each step is a transaction that may be done twice. Providers keep what they are told to trash for days.
 * @returns how many shards went to the trash, and whether there is more to do right away
 */
export async function sweepRound(
  ground: Ground,
  guard: Guard,
  signal: AbortSignal,
): Promise<{ trashed: number; more: boolean }> {
  const now = ground.clock.now()
  const { strayMs } = ground.limits
  // First flip, then bury: between the two no writer can commit, so no shard of a commit is ever trashed.
  const killed = await ground.index.transact(function* () {
    yield* guard()
    return yield* killIntents(now, intentsAtOnce)
  })
  for (const intent of killed) ground.log('info', 'intent.expired', { intent })
  const buried = await ground.index.transact(function* () {
    yield* guard()
    return yield* buryIntents(now + strayMs, shardsAtOnce)
  })
  const bodies = await ground.index.transact(function* () {
    yield* guard()
    const due = yield* dueBodies(now, bodiesAtOnce)
    let room = segmentsAtOnce
    for (const body of due) {
      const segments = yield* takeSegments(body, room)
      for (const segment of segments) {
        for (const [shard, name] of segment.names.entries()) {
          yield* insertStray(segment.holders[shard] as string, name, now)
        }
      }
      room -= segments.length
      if (room <= 0) break
      yield* deleteDeadBody(body)
    }
    yield* takeBackExpired(now, leasesAtOnce)
    yield* forgetFinishedUploads(now - keepAnswersMs)
    return room <= 0 || due.length === bodiesAtOnce
  })
  const strays = await ground.index.read(() => dueStrays(now, straysAtOnce))
  const trashed = await trashAll(ground, strays, guard, signal)
  return { trashed, more: buried || bodies || strays.length === straysAtOnce }
}

async function trashAll(ground: Ground, strays: PlannedShard[], guard: Guard, signal: AbortSignal): Promise<number> {
  const gone: PlannedShard[] = []
  const later: PlannedShard[] = []
  const rest = [...strays]
  const lane = async () => {
    for (let stray = rest.shift(); stray; stray = rest.shift()) {
      signal.throwIfAborted()
      if (await trash(ground, stray, signal)) gone.push(stray)
      else later.push(stray)
    }
  }
  await Promise.all(Array.from({ length: trashesAtOnce }, lane))
  if (strays.length === 0) return 0
  const again = ground.clock.now() + ground.limits.strayRetryMs
  await ground.index.transact(function* () {
    yield* guard()
    for (const { name } of gone) yield* deleteStray(name)
    for (const { name } of later) yield* postponeStray(name, again)
  })
  return gone.length
}

/** @returns whether the provider has it in its trash, or never had it */
async function trash(ground: Ground, { provider, name }: PlannedShard, signal: AbortSignal): Promise<boolean> {
  const known = ground.directory().providers.some((member) => member.id === provider)
  if (!known || ground.health.of(provider).state === 'dark') return false
  const limit = new AbortController()
  const stop = ground.clock.after(ground.limits.shardMs, () => limit.abort(new Error('no answer in time')))
  try {
    await ground.shards(provider).trash(name, AbortSignal.any([signal, limit.signal]))
    return true
  } catch (error) {
    if (signal.aborted) throw error
    ground.health.failed(provider, error)
    ground.log('info', 'stray.left', { provider, reason: error instanceof Error ? error.message : String(error) })
    return false
  } finally {
    stop()
  }
}
