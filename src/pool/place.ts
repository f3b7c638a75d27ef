import { createHash } from 'node:crypto'
import type { Random } from '#kernel'
import { judge, type Refusal } from './judge.ts'
import type { Directory, Provider } from './member.ts'
import type { Policy } from './policy.ts'
import { survives } from './survival.ts'

export type Placement = { k: number; m: number; holders: Provider[] }

type Choosing = {
  policy: Policy
  /** Lower is better; decides between sets that hold the promise equally well. */
  cost(provider: Provider): number
  random: Random
}

/** Different sets of holders that are drawn for one set of eligible providers: more sets mean more ways to lose data at once. */
const setsPerPool = 8

/**
 * Chooses the holders of a segment with the widest code that holds the promise. The full code has twice as many data as
 * parity shards; with fewer owners than it needs, data shards become fewer and the promise stays.
 * @param input.eligible allowed and usable now
 * @returns undefined when no code holds the promise
 */
export function place(input: Choosing & { eligible: readonly Provider[] }): Placement | undefined {
  const { eligible, policy } = input
  const m = Math.max(policy.survive.providers, policy.survive.countries)
  for (const k of widths(m, eligible.length, policy)) {
    const holders = choose(input, k + m, k)
    if (holders) return { k, m, holders }
  }
  // One country may hold so many of the providers that its loss costs more than m shards: more parity, fewer data.
  for (let more = m + 1; policy.survive.countries > 0 && more < eligible.length; more++) {
    for (const k of widths(more, eligible.length, policy)) {
      const holders = choose(input, k + more, k)
      if (holders) return { k, m: more, holders }
    }
  }
  return undefined
}

/** Numbers of data shards to try, the widest first. Without a promise there is one whole copy, or as many parts as the share asks. */
function widths(m: number, available: number, { greatestShare }: Policy): number[] {
  if (m === 0) return [Math.ceil(1 / greatestShare)]
  const widest = Math.min(2 * m, available - m)
  return Array.from({ length: Math.max(widest, 0) }, (_, at) => widest - at)
}

/**
 * Draws sets of holders out of a bounded number that depends only on who is eligible (copysets: A. Cidon et al.,
 * "Copysets: Reducing the Frequency of Data Loss in Cloud Storage", ATC 2013), and takes the cheapest that holds.
 */
function choose(
  { eligible, policy, cost, random }: Choosing & { eligible: readonly Provider[] },
  size: number,
  k: number,
): Provider[] | undefined {
  if (eligible.length < size) return undefined
  const ordered = [...eligible].sort((a, b) => (a.id < b.id ? -1 : 1))
  const seed = ordered.map((provider) => provider.id).join()
  const sets: Provider[][] = []
  for (let number = 0; number < (eligible.length === size ? 1 : setsPerPool); number++) {
    const set = spread(shuffle(ordered, `${seed}/${number}`), size)
    if (survives(set, k, policy)) sets.push(set)
  }
  if (sets.length === 0) return undefined
  // Of two random ones the cheaper: as good as the best of all for balance, without everybody running to one place.
  const draw = () => sets[(random.bytes(1)[0] as number) % sets.length] as Provider[]
  const [one, other] = [draw(), draw()]
  const price = (set: Provider[]) => set.reduce((sum, provider) => sum + cost(provider), 0)
  return price(one) <= price(other) ? one : other
}

/** Takes from the list so that owners, then countries, repeat as late as possible. */
function spread(providers: Provider[], size: number): Provider[] {
  const rest = [...providers]
  const taken: Provider[] = []
  while (taken.length < size) {
    const rank = (provider: Provider) => {
      const owners = taken.filter((other) => other.owner === provider.owner).length
      const countries = taken.filter((other) => other.country === provider.country).length
      return owners * 1000 + countries
    }
    const best = rest.reduce((a, b) => (rank(b) < rank(a) ? b : a))
    taken.push(best)
    rest.splice(rest.indexOf(best), 1)
  }
  return taken
}

/** The same order for the same seed, on every gateway and at every time. */
function shuffle(providers: readonly Provider[], seed: string): Provider[] {
  const key = (provider: Provider) => createHash('sha256').update(`${seed}/${provider.id}`).digest('hex')
  const keyed = providers.map((provider) => ({ provider, key: key(provider) }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ provider }) => provider)
}

/** A stand-in for a lost holder, so that the promise holds with those kept; undefined when no candidate does. */
export function replacement(
  input: Choosing & { kept: readonly Provider[]; k: number; candidates: readonly Provider[] },
): Provider | undefined {
  const { kept, k, candidates, policy, cost, random } = input
  const fitting = candidates.filter((candidate) => survives([...kept, candidate], k, policy))
  if (fitting.length === 0) return undefined
  const draw = () => fitting[(random.bytes(1)[0] as number) % fitting.length] as Provider
  const [one, other] = [draw(), draw()]
  return cost(one) <= cost(other) ? one : other
}

/** The widest code that keeps the promise with all of these providers alive; undefined when none does. */
export function widestCode(eligible: readonly Provider[], policy: Policy): { k: number; m: number } | undefined {
  const fixed: Random = { bytes: (length) => new Uint8Array(length) }
  const placed = place({ eligible, policy, cost: () => 0, random: fixed })
  return placed && { k: placed.k, m: placed.m }
}

/** Why no placement can satisfy a policy even with every allowed provider; undefined when one can. */
export function unsatisfiable(
  directory: Directory,
  policy: Policy,
): { reason: string; refused: Refusal[] } | undefined {
  const { eligible, refused } = judge(directory, policy)
  if (widestCode(eligible, policy)) return undefined
  const owners = new Set(eligible.map((provider) => provider.owner)).size
  const countries = new Set(eligible.map((provider) => provider.country)).size
  const { survive, greatestShare } = policy
  const promise = [
    `the loss of ${survive.providers} providers at once, counted by owner, needs ${survive.providers + 1} owners`,
    ...(survive.countries > 0
      ? [`the loss of ${survive.countries} countries needs ${survive.countries + 1} countries`]
      : []),
    ...(greatestShare < 1
      ? [`a share of at most ${greatestShare} needs ${Math.ceil(1 / greatestShare)} providers`]
      : []),
  ]
  const have = `${eligible.length} of ${directory.providers.length} providers are allowed (${owners} owners, ${countries} countries)`
  const why = refused.map(({ provider, reason }) => `${provider}: ${reason}`)
  return { reason: [`${have}; ${promise.join('; ')}.`, ...why].join(' '), refused }
}
