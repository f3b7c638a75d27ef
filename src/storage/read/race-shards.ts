import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'

type RaceGround = Pick<Ground, 'clock' | 'limits' | 'health' | 'hedges'>

/** A question to the holders of shards of which any `need` are enough. */
export type Race<T> = {
  /** The provider of each shard. */
  holders: readonly string[]
  /** This many distinct shards stand in for all that are wanted. */
  need: number
  wanted: readonly number[]
  /** Shards never to ask. */
  without?: ReadonlySet<number>
  /** How much each is asked for, so that a long answer is not taken for a slow provider; 1 is about half a mebibyte. */
  units: number
  /** What is read, for the error. */
  key: string
  /** Asks for one shard. What it throws counts as a failure of the shard; the signal ends what is no longer needed. */
  ask(shard: number, signal: AbortSignal): Promise<T>
  /** Takes back an answer that nobody needs any more. */
  discard(value: T): void
  /** One shard failed; others are asked in its place. Not called for what was ended because it is no longer needed. */
  failed(shard: number, error: unknown): void
  signal: AbortSignal
}

/**
 * Asks the wanted shards, or quick ones where those are dark, and as many others as it takes when one fails or is slow.
 * Whoever is no longer needed is ended.
 * @returns the answers once all that are wanted have come, or `need` of any
 * @throws object.damaged when fewer than `need` can be had, or the signal's reason
 */
export async function raceShards<T>(ground: RaceGround, race: Race<T>): Promise<Map<number, T>> {
  const { holders, need, wanted, units, signal } = race
  const got = new Map<number, T>()
  const flying = new Map<number, { abort: AbortController; slow: boolean }>()
  const untried = candidates(ground, race)
  const timers: (() => void)[] = []
  let over = false
  ground.hedges.earn()

  return new Promise((resolve, reject) => {
    const leave = (settle: () => void) => {
      over = true
      signal.removeEventListener('abort', cancelled)
      for (const cancel of timers) cancel()
      for (const { abort } of flying.values()) abort.abort(new Error('no longer needed'))
      settle()
    }
    const lose = (error: unknown) =>
      leave(() => {
        for (const value of got.values()) race.discard(value)
        reject(error)
      })
    const cancelled = () => lose(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    const complete = () => got.size >= need || wanted.every((shard) => got.has(shard))
    /** Asks as many more shards as it takes; those that are slow no longer count. */
    const advance = () => {
      if (over) return
      if (complete()) return leave(() => resolve(got))
      const steady = [...flying.values()].filter((flight) => !flight.slow).length
      const direct = wanted.every((shard) => got.has(shard) || flying.get(shard)?.slow === false)
      let missing = direct ? 0 : need - got.size - steady
      while (missing > 0 && untried.length > 0) {
        missing--
        ask(untried.shift() as number)
      }
      if (flying.size === 0) {
        lose(storageError('object.damaged', { key: race.key, readable: got.size, needed: need }))
      }
    }
    const ask = (shard: number) => {
      const provider = holders[shard] as string
      const flight = { abort: new AbortController(), slow: false }
      flying.set(shard, flight)
      const began = ground.clock.now()
      const stopHedge = ground.clock.after(hedgeAfter(ground, provider, units), () => {
        if (untried.length === 0 || !ground.hedges.spend()) return
        flight.slow = true
        advance()
      })
      const stopLimit = ground.clock.after(ground.limits.shardMs, () => {
        flight.abort.abort(storageError('shard.unreachable', { provider, reason: 'no answer in time' }))
      })
      timers.push(stopHedge, stopLimit)
      race
        .ask(shard, flight.abort.signal)
        .then(
          (value) => {
            ground.health.answered(provider, (ground.clock.now() - began) / units)
            if (over) return race.discard(value)
            got.set(shard, value)
          },
          (error: unknown) => {
            if (over) return
            ground.health.failed(provider, error)
            race.failed(shard, error)
          },
        )
        .finally(() => {
          stopHedge()
          stopLimit()
          flying.delete(shard)
          advance()
        })
    }
    if (signal.aborted) return cancelled()
    signal.addEventListener('abort', cancelled, { once: true })
    for (const shard of wanted) if (take(ground, holders, untried, shard)) ask(shard)
    advance()
  })
}

/** The shards in the order in which they are asked: those wanted, then quick ones; dark ones only when nothing else is left. */
function candidates(ground: RaceGround, { holders, wanted, without }: Race<unknown>): number[] {
  const rank = (shard: number) => {
    const health = ground.health.of(holders[shard] as string)
    if (health.state === 'dark') return 1e12
    return wanted.includes(shard) ? -1 : health.latencyMs
  }
  return holders
    .map((_, shard) => shard)
    .filter((shard) => !without?.has(shard))
    .sort((a, b) => rank(a) - rank(b) || a - b)
}

/** Takes a wanted shard out of the list, unless its provider is dark: then others are quicker. */
function take(ground: RaceGround, holders: readonly string[], untried: number[], shard: number): boolean {
  const at = untried.indexOf(shard)
  if (at === -1 || ground.health.of(holders[shard] as string).state === 'dark') return false
  untried.splice(at, 1)
  return true
}

const hedgeAfter = (ground: RaceGround, provider: string, units: number) =>
  Math.max(ground.limits.hedgeFloorMs, 2 * ground.health.of(provider).slowMs * units)
