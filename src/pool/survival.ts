import type { Provider } from './member.ts'
import type { Policy } from './policy.ts'

/**
 * The rule of every commit. Takes the worst losses away that the policy names, counted by ultimate owner and apart from
 * that by country, and asks whether k distinct shards remain. Holder i holds shard i.
 */
export function survives(holders: readonly Provider[], k: number, policy: Policy): boolean {
  if (new Set(holders.map((holder) => holder.id)).size < holders.length) return false
  if (1 / holders.length > policy.greatestShare) return false
  const { providers, countries } = policy.survive
  const left = (groups: number[], lost: number) => holders.length - sum(groups.slice(0, lost))
  return (
    left(
      sizes(holders, (holder) => holder.owner),
      providers,
    ) >= k &&
    left(
      sizes(holders, (holder) => holder.country),
      countries,
    ) >= k
  )
}

/** How many further ultimate owners may be lost before fewer than k shards remain; -1 when there are fewer already. */
export function margin(holders: readonly Provider[], k: number): number {
  let left = holders.length
  if (left < k) return -1
  let lost = 0
  for (const size of sizes(holders, (holder) => holder.owner)) {
    left -= size
    if (left < k) return lost
    lost++
  }
  return lost
}

/** Sizes of the groups, the greatest first: what the worst loss takes. */
function sizes(holders: readonly Provider[], groupOf: (holder: Provider) => string): number[] {
  const counts = new Map<string, number>()
  for (const holder of holders) counts.set(groupOf(holder), (counts.get(groupOf(holder)) ?? 0) + 1)
  return [...counts.values()].sort((a, b) => b - a)
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
