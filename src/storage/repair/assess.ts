import { judge, margin, type Policy, type Provider, replacement, survives } from '#pool'
import type { Ground } from '../ground.ts'
import { placeAmong, usable } from '../write/choose.ts'

/** What lies where, as far as the margin is concerned. */
export type Holding = { holders: string[]; k: number; m: number }

/**
 * How a segment stands and what should be done about it.
 * `move`: the shards named go to other providers; `rewrite`: the whole segment anew, with another code; `wait`: nothing can be done now.
 */
export type Assessment = {
  /** How many further ultimate owners may be lost; -1 when it cannot be read now. */
  margin: number
  action: 'none' | 'move' | 'rewrite' | 'wait'
  shards: number[]
  because: string
}

/**
 * Judges a segment. A dark provider is not a lost one: with margin left, nothing moves until it has been dark for long;
 * without, at once. What the policy or the directory no longer allows moves at once, as does what is known to be lost.
 * @param lost shards known to be missing or corrupt
 */
export function assess(ground: Ground, holding: Holding, policy: Policy, lost: ReadonlySet<number>): Assessment {
  const { holders, k } = holding
  const directory = ground.directory()
  const known = new Map(directory.providers.map((provider) => [provider.id, provider]))
  const eligible = new Set(judge(directory, policy).eligible.map((provider) => provider.id))
  const dark = (shard: number) => ground.health.of(holders[shard] as string).state === 'dark'
  const all = holders.map((_, shard) => shard)
  const providerOf = (shard: number) => known.get(holders[shard] as string)

  const readable = all.filter((shard) => providerOf(shard) && !lost.has(shard) && !dark(shard))
  const left = margin(present(readable.map(providerOf)), k)
  if (left < 0) return { margin: left, action: 'wait', shards: [], because: 'too few shards can be read now' }

  const reasons = new Map<number, string>()
  for (const shard of all) {
    const provider = holders[shard] as string
    if (!providerOf(shard)) reasons.set(shard, `${provider} is no longer a member`)
    else if (lost.has(shard)) reasons.set(shard, `${provider} has lost its shard`)
    else if (!eligible.has(provider)) reasons.set(shard, `the policy no longer allows ${provider}`)
    else if (dark(shard) && overdue(ground, provider, left)) reasons.set(shard, `${provider} is dark`)
  }
  const because = [...reasons.values()].join(', ')
  const shards = [...reasons.keys()]
  const free = usable(ground, policy, new Set())
  const result = (action: Assessment['action'], why = because): Assessment => ({
    margin: left,
    action,
    shards,
    because: why,
  })

  if (shards.length === 0) {
    const whole = present(all.map(providerOf))
    if (!survives(whole, k, policy))
      return result(placeAmong(ground, free, policy) ? 'rewrite' : 'wait', 'the policy promises more')
    // What refuses shards while it says that it has room would have segments rewritten for nothing, again and again.
    const steady = free.filter(({ id }) => {
      const { since, refusedAt } = ground.health.of(id)
      return ground.clock.now() - Math.max(since, refusedAt) >= ground.limits.widenMs
    })
    const wider = placeAmong(ground, steady, policy)
    if (wider && wider.k > k) return result('rewrite', 'a wider code is possible again')
    return result('none', '')
  }
  if (chooseSpares(ground, holding, policy, shards, lost)) return result('move')
  return result(placeAmong(ground, free, policy) ? 'rewrite' : 'wait')
}

/** Whether all holders are members that the policy allows, and the promise holds with them; who answers now is not asked. */
export function inPlace(ground: Ground, { holders, k }: Holding, policy: Policy): boolean {
  const eligible = new Map(judge(ground.directory(), policy).eligible.map((provider) => [provider.id, provider]))
  const allowed = present(holders.map((id) => eligible.get(id)))
  return allowed.length === holders.length && survives(allowed, k, policy)
}

/** One provider for each of the shards, so that the promise holds again; undefined when there are not enough. */
export function chooseSpares(
  ground: Ground,
  { holders, k }: Holding,
  policy: Policy,
  shards: readonly number[],
  lost: ReadonlySet<number>,
): Map<number, Provider> | undefined {
  const known = new Map(ground.directory().providers.map((provider) => [provider.id, provider]))
  const kept = present(holders.filter((_, shard) => !shards.includes(shard)).map((id) => known.get(id)))
  const spares = new Map<number, Provider>()
  for (const shard of shards) {
    // Who lost a shard may hold it again; who is dark or no longer allowed may not.
    const barred = new Set(holders.filter((_, at) => at !== shard || !lost.has(at)))
    for (const spare of spares.values()) barred.add(spare.id)
    const candidates = usable(ground, policy, barred)
    const now = [...kept, ...spares.values()]
    const cost = (provider: Provider) => ground.health.of(provider.id).latencyMs
    // The exact check wants all shards; while some are still to be placed, the last one decides.
    const rest = shards.length - spares.size - 1
    const owners = new Set(now.map((provider) => provider.owner))
    const rank = (provider: Provider) => (owners.has(provider.owner) ? 1e9 : 0) + cost(provider)
    const spare =
      rest > 0
        ? candidates.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1))[0]
        : replacement({ kept: now, k, candidates, policy, cost, random: ground.random })
    if (!spare) return undefined
    spares.set(shard, spare)
  }
  return spares
}

function overdue(ground: Ground, provider: string, margin: number): boolean {
  return margin === 0 || ground.clock.now() - ground.health.of(provider).since >= ground.limits.darkMs
}

const present = (providers: (Provider | undefined)[]): Provider[] =>
  providers.filter((provider) => provider !== undefined)
