import type { Clock } from '#kernel'
import type { Amount, Lease } from '../index/quotas.store.ts'

/** Scopes whose leases are remembered; what is forgotten expires. */
const scopesMost = 10_000

/**
 * The leases of this gateway that no commit uses now. What is known of them here is a hint: the commit that uses one looks at
 * its row. So nothing that happens to this memory can make a quota wrong.
 */
export type Leases = {
  /** The largest one of a quota; the taker's alone until he keeps it again. */
  take(scope: string): Lease | undefined
  keep(lease: Lease): void
  /** What the largest one may have left. */
  room(scope: string): Amount | undefined
  /** Takes all, to give them back. */
  takeAll(): Lease[]
}

export function openLeases(clock: Clock): Leases {
  const free = new Map<string, Lease[]>()
  /** The largest first; those that are over belong to whoever cleans up. */
  const validOf = (scope: string): Lease[] => {
    const valid = (free.get(scope) ?? []).filter(({ expiresAt }) => expiresAt > clock.now())
    if (valid.length === 0) free.delete(scope)
    else free.set(scope, valid)
    return valid.sort((a, b) => b.bytes - a.bytes)
  }
  return {
    take: (scope) => validOf(scope).shift(),
    keep(lease) {
      const kept = free.get(lease.scope) ?? []
      free.delete(lease.scope)
      free.set(lease.scope, [...kept, lease])
      if (free.size > scopesMost) free.delete(free.keys().next().value as string)
    },
    room: (scope) => validOf(scope)[0],
    takeAll() {
      const all = [...free.values()].flat()
      free.clear()
      return all
    },
  }
}
