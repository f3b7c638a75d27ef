import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'

/** Asks every provider of the directory how it is. One that does not answer within the limit is dark from then on. */
export async function probeRound(ground: Ground, signal: AbortSignal): Promise<void> {
  await Promise.all(ground.directory().providers.map(({ id }) => probe(ground, id, signal)))
}

async function probe(ground: Ground, provider: string, signal: AbortSignal): Promise<void> {
  const began = ground.clock.now()
  const limit = new AbortController()
  const stop = ground.clock.after(ground.limits.probeLimitMs, () => {
    limit.abort(storageError('shard.unreachable', { provider, reason: 'no answer to a probe in time' }))
  })
  try {
    const status = await ground.shards(provider).status(AbortSignal.any([signal, limit.signal]))
    ground.health.probed(provider, status, ground.clock.now() - began)
  } catch (error) {
    if (!signal.aborted) ground.health.failed(provider, error)
  } finally {
    stop()
  }
}
