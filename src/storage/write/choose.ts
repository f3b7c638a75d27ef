import { judge, type Placement, type Policy, type Provider, place, replacement } from '#pool'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'

/** `policy` is what this placement keeps: the bucket's, or less where the bucket accepts that. */
export type Choice = Placement & { policy: Policy }

/** Eligible providers that can take a shard now: alive, with room, and not among `avoid`. */
export function usable(ground: Ground, policy: Policy, avoid: ReadonlySet<string>): Provider[] {
  return judge(ground.directory(), policy).eligible.filter((provider) => {
    const health = ground.health.of(provider.id)
    return health.state === 'alive' && !health.full && !avoid.has(provider.id)
  })
}

/** Quick providers first; the pool adds chance, so that load spreads. */
const cost = (ground: Ground) => (provider: Provider) => ground.health.of(provider.id).latencyMs

/** The widest placement among these providers that keeps the policy's promise. */
export function placeAmong(ground: Ground, eligible: Provider[], policy: Policy): Placement | undefined {
  return place({ eligible, policy, cost: cost(ground), random: ground.random })
}

/**
 * The holders of a new segment. The code is as wide as the usable providers allow, never so narrow that the promise breaks;
 * unless the bucket's policy chose beforehand to accept less for a while, which is logged, shown, and mended by repair.
 * @throws pool.full when only room is missing, pool.short when too few providers are alive, directory.expired
 */
export function chooseHolders(ground: Ground, policy: Policy, avoid: ReadonlySet<string>): Choice {
  const directory = ground.directory()
  if (directory.expiresAt <= ground.clock.now()) {
    throw storageError('directory.expired', { expired: new Date(directory.expiresAt).toISOString() })
  }
  const eligible = usable(ground, policy, avoid)
  for (const accepted of promises(policy)) {
    const placed = placeAmong(ground, eligible, accepted)
    if (!placed) continue
    if (accepted !== policy) ground.log('warn', 'segment.short', { survives: accepted.survive.providers })
    return { ...placed, policy: accepted }
  }
  const withFull = judge(directory, policy).eligible.filter(
    ({ id }) => ground.health.of(id).state === 'alive' && !avoid.has(id),
  )
  if (withFull.length > eligible.length && placeAmong(ground, withFull, policy)) throw storageError('pool.full')
  throw storageError('pool.short', { alive: eligible.length, promise: promiseOf(policy) })
}

/** The policy, and after it the lesser promises that it accepts. */
function promises(policy: Policy): Policy[] {
  if (policy.whenShort === 'refuse') return [policy]
  const { providers, countries } = policy.survive
  const lesser = Array.from({ length: providers }, (_, at) => providers - 1 - at)
  return [
    policy,
    ...lesser.map((fewer) => ({
      ...policy,
      survive: { providers: fewer, countries: Math.min(countries, fewer) },
      greatestShare: 1,
    })),
  ]
}

/** A provider that can stand in for one that failed, or undefined. */
export function chooseSpare(
  ground: Ground,
  policy: Policy,
  kept: readonly Provider[],
  k: number,
  avoid: ReadonlySet<string>,
): Provider | undefined {
  const taken = new Set([...avoid, ...kept.map((provider) => provider.id)])
  const candidates = usable(ground, policy, taken)
  return replacement({ kept, k, candidates, policy, cost: cost(ground), random: ground.random })
}

function promiseOf({ survive }: Policy): string {
  const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`
  const providers = count(survive.providers, 'provider', 'providers')
  return survive.countries === 0 ? providers : `${providers} or ${count(survive.countries, 'country', 'countries')}`
}
