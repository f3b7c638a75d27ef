import type { RaceGround } from './flight.ts'

/** What is wanted of whom. */
export type Wish = {
  /** The provider of each shard. */
  holders: readonly string[]
  /** This many distinct shards stand in for all that are wanted. */
  need: number
  wanted: readonly number[]
  /** Shards never to ask. */
  without?: ReadonlySet<number>
  /** How much each is asked for, so that a long answer is not taken for a slow provider; 1 is about half a mebibyte. */
  units: number
}

/** Who is asked at first, who is asked when that is not enough, and who is only asked to see whether it is still slow. */
export type Order = { first: number[]; spare: number[]; trials: number[] }

/**
 * So many times slower than the others, and by so much, and a shard is not worth waiting for: others rebuild it sooner. More
 * where few shards are wanted, since then each that is spared costs several requests.
 */
const tooSlow = { whole: 2, part: 3 }
const tooSlowMs = 2

/**
 * Puts the shards in order: those wanted, then quick ones, then slow ones; dark ones only when nothing else is left.
 * A wanted shard at a slow or dark provider is not asked at first as long as others can stand in for it.
 */
export function orderOf(ground: RaceGround, { holders, need, wanted, without, units }: Wish): Order {
  const usualOf = (shard: number) => ground.paces.of(holders[shard] as string, units)?.usualMs
  const dark = (shard: number) => ground.health.of(holders[shard] as string).state === 'dark'
  const all = holders.map((_, shard) => shard).filter((shard) => !without?.has(shard))
  const paces = all
    .filter((shard) => !dark(shard))
    .map((shard) => usualOf(shard) ?? 0)
    .sort((a, b) => a - b)
  // What is left when the slow ones are spared is as slow as the last of those needed.
  const times = wanted.length >= need ? tooSlow.whole : tooSlow.part
  const bound = times * (paces[need - 1] ?? Number.POSITIVE_INFINITY) + tooSlowMs
  const slow = (shard: number) => (usualOf(shard) ?? 0) > bound
  const rank = (shard: number) => {
    if (dark(shard)) return 2e12
    if (slow(shard)) return 1e12 + (usualOf(shard) ?? 0)
    return wanted.includes(shard) ? -1 : (usualOf(shard) ?? ground.health.of(holders[shard] as string).latencyMs)
  }
  const ranks = new Map(all.map((shard) => [shard, rank(shard)]))
  const rankOf = (shard: number) => ranks.get(shard) as number
  const sorted = all.sort((a, b) => rankOf(a) - rankOf(b) || a - b)
  const first = sorted.filter((shard) => rankOf(shard) < 0)
  const trials = sorted.filter(
    (shard) => slow(shard) && !dark(shard) && ground.paces.tryAgain(holders[shard] as string, units),
  )
  const spare = sorted.filter((shard) => rankOf(shard) >= 0 && !trials.includes(shard))
  return { first, spare, trials }
}

/** Before anything is known about a provider. */
const unknownMs = 80

/**
 * When to ask another shard too: once this one is among the slowest in twenty of its provider. Never sooner than the other
 * takes to answer, since until then waiting is as good; not much later than that one's slowest either, since a provider
 * that is slow more often than that is no measure of itself.
 */
export function hedgeAfterMs(ground: RaceGround, provider: string, other: string | undefined, units: number): number {
  const own = ground.paces.of(provider, units)?.slowMs ?? unknownMs
  const stand = other === undefined ? undefined : ground.paces.of(other, units)
  const bounded = stand ? Math.max(stand.usualMs, Math.min(own, 2 * stand.slowMs)) : own
  // A clock that counts whole milliseconds cannot tell sooner that it was longer.
  return Math.max(ground.limits.hedgeFloorMs, bounded * units + 1)
}
