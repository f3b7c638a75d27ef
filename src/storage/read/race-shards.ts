import { storageError } from '../errors.ts'
import { type Flight, type RaceGround, takeOff } from './flight.ts'
import { hedgeAfterMs, orderOf, type Wish } from './race-order.ts'

/** A question to the holders of shards of which any `need` are enough. */
export type Race<T> = Wish & {
  /** What is read, for the error. */
  key: string
  /** Asks for one shard. What it rejects with counts as a failure of the shard; the signal ends what is no longer needed. */
  ask(shard: number, signal: AbortSignal): Promise<T>
  /** Takes back an answer that nobody needs any more; it may come after the race is over. */
  discard(value: T): void
  /** One shard failed; others are asked in its place. Not called for what was ended because it is no longer needed. */
  failed(shard: number, error: unknown): void
  signal: AbortSignal
}

/**
 * Asks the wanted shards, or quick ones where those are dark or slow, and as many others as it takes when one fails or is
 * late. Whoever is no longer needed is ended; of those that were late one at each provider goes on, to see how slow it is.
 * @returns the answers once all that are wanted have come, or `need` of any
 * @throws object.damaged when fewer than `need` can be had, or the signal's reason
 */
export function raceShards<T>(ground: RaceGround, race: Race<T>): Promise<Map<number, T>> {
  const { hedges, lanes } = ground
  const { holders, need, wanted, units, signal } = race
  const holderOf = (shard: number) => holders[shard] as string
  const isFree = (shard: number) => lanes.free(holderOf(shard))
  const got = new Map<number, T>()
  const flying = new Map<number, Flight>()
  const { first, spare, trials } = orderOf(ground, race)
  let over = false

  return new Promise((resolve, reject) => {
    const leave = () => {
      over = true
      signal.removeEventListener('abort', cancelled)
    }
    const win = () => {
      leave()
      for (const flight of flying.values()) {
        if (flight.slow) flight.watch()
        else flight.end()
      }
      resolve(got)
    }
    const lose = (error: unknown) => {
      leave()
      for (const flight of flying.values()) flight.end()
      for (const value of got.values()) race.discard(value)
      reject(error)
    }
    const cancelled = () => lose(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    /** How many more shards it takes; those that are slow no longer count. */
    const missing = () => {
      if (wanted.every((shard) => got.has(shard) || flying.get(shard)?.slow === false)) return 0
      const steady = [...flying.values()].filter((flight) => !flight.slow).length
      return Math.max(0, need - got.size - steady)
    }
    const advance = () => {
      if (over) return
      if (got.size >= need || wanted.every((shard) => got.has(shard))) return win()
      for (let more = missing(); more > 0 && spare.length > 0; more--) {
        // Whose hands are full comes after those whose are not.
        ask(spare.splice(Math.max(0, spare.findIndex(isFree)), 1)[0] as number)
      }
      if (flying.size > 0) return
      lose(storageError('object.damaged', { key: race.key, readable: got.size, needed: need }))
    }
    const ask = (shard: number) => {
      const provider = holderOf(shard)
      const other = spare[0]
      const lateMs = hedgeAfterMs(ground, provider, other === undefined ? undefined : holderOf(other), units)
      hedges.earn()
      const flight = takeOff(
        ground,
        { provider, units, lateMs, ask: (ending) => race.ask(shard, ending) },
        {
          late: (overdue) => hedge(flight, overdue),
          answered(value) {
            if (over) race.discard(value)
            else got.set(shard, value)
          },
          failed(error) {
            if (!over) race.failed(shard, error)
          },
          settled() {
            flying.delete(shard)
            advance()
          },
        },
      )
      flying.set(shard, flight)
      return flight
    }
    /** What is overdue has stalled: then others are asked whatever it costs. */
    const hedge = (flight: Flight, overdue: boolean) => {
      if (over || flight.slow) return
      flight.slow = true
      const more = Math.min(missing(), spare.length)
      if (more === 0 || hedges.spend(more, overdue)) advance()
      else flight.slow = false
    }
    if (signal.aborted) return cancelled()
    signal.addEventListener('abort', cancelled, { once: true })
    for (const shard of first) {
      // Another in its place is as cheap only where all that are needed are asked anyway.
      if (wanted.length >= need && !isFree(shard) && spare.some(isFree)) spare.push(shard)
      else ask(shard)
    }
    for (const shard of trials) ask(shard).slow = true
    advance()
  })
}
