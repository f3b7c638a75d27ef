import { defaultPolicy, judge, type Policy, unsatisfiable } from '#pool'
import { hasCode } from '#kernel'
import { openArchipelago } from './archipelago.ts'
import { outlives } from './checks.ts'
import { newCall, finish, type Life } from './life.ts'
import { openModel } from './model.ts'
import { openWorld } from './world.ts'

const policies: Record<string, Policy> = {
  default: defaultPolicy,
  'survive one': { ...defaultPolicy, survive: { providers: 1, countries: 0 } },
  'survive one country too': { ...defaultPolicy, survive: { providers: 1, countries: 1 } },
  'attested only': { ...defaultPolicy, attestations: ['ISO27001'] },
  'everybody, survive three': {
    ...defaultPolicy,
    ownersRefused: [],
    survive: { providers: 3, countries: 0 },
  },
  'small shares': { ...defaultPolicy, greatestShare: 0.2 },
  'accept less': { ...defaultPolicy, whenShort: 'accept-with-warning' },
}

/**
 * Every set of dead providers under every policy: a write either holds its promise on those alive, or is refused in words.
 * Nothing between, and no refusal where it could have been held.
 */
export async function runDeadSets(): Promise<{ name: string; failure?: string }[]> {
  const results: { name: string; failure?: string }[] = []
  for (const [name, policy] of Object.entries(policies)) {
    const world = openWorld(7)
    const archipelago = await openArchipelago(world)
    const life: Life = {
      world,
      archipelago,
      model: openModel(),
      bad: [],
      wide: false,
      lasting: false,
      damaged: new Set(),
      problems: [],
      nextId: 1,
      phase: -1,
    }
    await finish(life, () => archipelago.gateway().storage.objects.createBucket(newCall(), { name: 'b', policy }))
    for (let set = 0; set < 2 ** archipelago.providers.length; set++) {
      archipelago.providers.forEach((island, at) => {
        island.remote.faults.dead = (set & (1 << at)) !== 0
      })
      const failure = await tryWrite(life, policy, `key${set}`)
      const dead = archipelago.providers
        .filter((island) => island.remote.faults.dead)
        .map(({ provider }) => provider.id)
      results.push({ name: `${name}, dead: ${dead.join(' ') || 'nobody'}`, ...(failure !== undefined && { failure }) })
    }
    archipelago.close()
  }
  return results
}

async function tryWrite(life: Life, policy: Policy, key: string): Promise<string | undefined> {
  const { archipelago } = life
  const { storage } = archipelago.gateway()
  await finish(life, () => storage.probe(new AbortController().signal))
  const alive = archipelago.providers.filter((island) => !island.remote.faults.dead).map(({ provider }) => provider)
  const reduced = { ...archipelago.directory, providers: alive }
  const lenient = policy.whenShort === 'accept-with-warning'
  const least = lenient ? { ...policy, survive: { providers: 0, countries: 0 }, greatestShare: 1 } : policy
  const possible = unsatisfiable(reduced, least) === undefined
  const body = { size: 5000, chunks: one(new Uint8Array(5000)), finish: () => undefined }
  try {
    const info = await finish(life, () =>
      storage.objects.putObject(newCall(), { bucket: 'b', key, headers: {}, condition: {}, body }),
    )
    if (!possible) return 'it was accepted, although nobody can keep the promise'
    const [row] = archipelago.index.look(
      `SELECT s.k, p.holders FROM objects o JOIN segments s ON s.body = COALESCE(o.pack, o.version)
        JOIN placements p ON p.id = s.placement WHERE o.version = '${info.version}'`,
    )
    const holders = String(row?.holders)
      .split(',')
      .map((id) => alive.find((provider) => provider.id === id))
    const present = holders.filter((holder) => holder !== undefined)
    const { eligible } = judge(archipelago.directory, policy)
    if (present.length < holders.length) return `a shard was given to a dead provider: ${row?.holders as string}`
    if (present.some((holder) => !eligible.includes(holder)))
      return `a shard lies where the policy does not allow: ${row?.holders as string}`
    if (!outlives(present, row?.k as number, least.survive.providers))
      return `the promise is not kept by ${row?.holders as string}`
    return undefined
  } catch (error) {
    if (!hasCode(error, 'pool.short')) return `refused with ${error instanceof Error ? error.message : String(error)}`
    return possible ? 'it was refused, although the promise could have been kept' : undefined
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
