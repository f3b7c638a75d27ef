import { hasCode } from '#kernel'
import type { Directory } from '#pool'
import { type Archipelago, openArchipelago, quickLimits } from './archipelago.ts'
import { putContent } from './clients.ts'
import { bucket, finish, type Life, newCall, sleepFor } from './life.ts'
import { openModel } from './model.ts'
import type { Outcome } from './scenario.ts'
import { openWorld, type World } from './world.ts'

const lifeMs = 1800
/** A gateway learns of a new directory this late at the most, and tells the others with its next look at the providers. */
const learnMs = 800

/**
 * Two or three gateways learn at different times that a provider was suspended, or taken back, while clients write. As soon as one of them
 * has said so in the index, nothing new commits that lies at a provider which is not in that directory.
 */
export async function runDirectories(seed: number): Promise<Outcome> {
  const world = openWorld(seed)
  let archipelago: Archipelago | undefined
  try {
    archipelago = await openArchipelago(world, { ...quickLimits, packBytes: 2000 }, 2 + world.dice(2))
    await live(world, archipelago)
    return { seed, fingerprint: world.fingerprint() }
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { seed, fingerprint: world.fingerprint(), failure, tail: world.tail() }
  } finally {
    archipelago?.close()
  }
}

async function live(world: World, archipelago: Archipelago): Promise<void> {
  const life: Life = {
    ...{ world, archipelago, model: openModel(), bad: [], wide: false, lasting: false, damaged: new Set() },
    ...{ nextId: 1, problems: [], phase: 0 },
  }
  await finish(life, () => archipelago.gateway().storage.objects.createBucket(newCall(), { name: bucket }))
  const issued = new Map([[1, archipelago.directory]])
  watchCommits(life, issued)
  let over = false
  for (let at = 300; at < lifeMs; at += 400 + world.dice(600)) world.clock.after(at, () => issue(life, issued))
  const clients = [0, 1, 2].map(async (client) => {
    for (let put = 0; !over; put++) {
      await new Promise<void>((resolve) => void world.clock.after(world.dice(500), resolve))
      const size = world.chance(0.6) ? 1 + world.dice(1500) : 3000 + world.dice(8000)
      const outcome = await putContent(life, `d${client}/${put}`, { id: life.nextId++, size })
      if (outcome === 'died' || 'value' in outcome) continue
      if (!hasCode(outcome.error, 'directory.older', 'commit.lost', 'pool.short')) throw outcome.error
      world.note(`refused: ${outcome.error.code}`)
    }
  })
  world.clock.after(lifeMs, () => {
    over = true
  })
  await finish(life, () => Promise.all(clients))
  if (life.problems.length > 0) throw life.problems[0]
  // Without anybody writing too, the others are told.
  issue(life, issued)
  await sleepFor(life, learnMs + 3 * quickLimits.probeMs)
  const [told] = archipelago.index.look('SELECT version FROM directory_seen')
  if (told?.version !== issued.size) throw new Error(`directory ${issued.size} is told to nobody`)
  const last = await finish(life, () => putContent(life, 'd/last', { id: life.nextId++, size: 100 }))
  if (last === 'died' || 'error' in last) throw new Error('with the newest directory nothing can be written')
}

/** The federation suspends one provider and takes all others back; each gateway learns of it when it does. */
function issue({ world, archipelago }: Life, issued: Map<number, Directory>): void {
  const version = issued.size + 1
  const all = archipelago.providers.map(({ provider }) => provider)
  const suspended = all[world.dice(all.length)]?.id
  const next = { ...archipelago.directory, version, providers: all.filter(({ id }) => id !== suspended) }
  issued.set(version, next)
  world.note(`directory ${version} without ${suspended}`)
  for (const at of archipelago.gateways.keys())
    world.clock.after(world.dice(learnMs), () => {
      if ((archipelago.known.get(at)?.version ?? 1) < version) archipelago.known.set(at, next)
    })
}

/** Every shard that is new in a commit lies at a provider of the newest directory that the index knows of: a commit says itself which one it has. */
function watchCommits({ archipelago, problems }: Life, issued: ReadonlyMap<number, Directory>): void {
  const { index } = archipelago
  let [seen, count] = [new Set<string>(), '']
  index.onCommit = () => {
    const [sum] = index.look('SELECT COUNT(*) AS n, SUM(generation) AS all_of_them FROM segments')
    const state = JSON.stringify(sum)
    if (state === count) return
    count = state
    const now = new Set<string>()
    const noted = Number(index.look('SELECT version FROM directory_seen')[0]?.version ?? 1)
    const members = new Set(issued.get(noted)?.providers.map(({ id }) => id))
    for (const row of index.look('SELECT s.names, p.holders FROM segments s JOIN placements p ON p.id = s.placement')) {
      const holders = (row.holders as string).split(',')
      for (const [shard, name] of ((row.names as string).match(/.{32}/g) ?? []).entries()) {
        now.add(name)
        const holder = holders[shard] as string
        if (!seen.has(name) && !members.has(holder))
          problems.push(new Error(`a new shard lies at ${holder}, which directory ${noted} does not have`))
      }
    }
    seen = now
  }
}
