import { hasCode } from '#kernel'
import { defaultPolicy, judge } from '#pool'
import {
  type Archipelago,
  type Gateway,
  type Island,
  openArchipelago,
  quickKeyLimits,
  quickLimits,
} from './archipelago.ts'
import { checkAtRest, checkKeys, checkListing, checkPowerCut, checkTidy } from './checks.ts'
import { chunksOf } from './content.ts'
import type { KeyAdmin, OpenStorage } from '#storage'
import { checkQuotasFit, scheduleQuotas, setQuotas, watchQuotas } from './quotas.ts'
import { runLogLife } from './log-life.ts'
import { readOne, runClient } from './clients.ts'
import { ask, bucket, newCall, finish, type Life, quietLimitMs, sleepFor } from './life.ts'
import { openModel } from './model.ts'
import { noFaults } from './network.ts'
import { openWorld } from './world.ts'

export type Outcome = { seed: number; fingerprint: string; failure?: string; tail?: string[] }

const phases = 2
const clients = 3

/** One life of an archipelago: clients write, read and delete while up to two providers and the gateway fail, then all heals. */
export async function runScenario(seed: number): Promise<Outcome> {
  const world = openWorld(seed)
  let archipelago: Archipelago | undefined
  try {
    // A few lives have segments of many rows.
    const wide = world.chance(0.04)
    archipelago = await openArchipelago(
      world,
      {
        ...quickLimits,
        // In some every object is written for itself, in some readers find small ones in memory.
        ...(world.chance(0.3) && { packBytes: 0 }),
        ...(world.chance(0.2) && { cacheBytes: 20_000 }),
        ...(wide && { segmentBytes: 1536 * 1024, writeMemoryBytes: 8 * 1024 * 1024 }),
      },
      world.chance(0.5) ? 1 : 2 + world.dice(2),
    )
    await live({
      world,
      archipelago,
      model: openModel(),
      bad: [],
      wide,
      lasting: world.chance(0.3),
      damaged: new Set(),
      problems: [],
      nextId: 1,
      phase: -1,
      quotas: seed % 3 === 0,
    })
    return { seed, fingerprint: world.fingerprint() + (await runLogLife(seed)) }
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { seed, fingerprint: world.fingerprint(), failure, tail: world.tail() }
  } finally {
    archipelago?.close()
  }
}

async function live(life: Life): Promise<void> {
  const { world, archipelago } = life
  await finish(life, () => archipelago.gateway().storage.objects.createBucket(newCall(), { name: bucket }))
  if (life.quotas) watchQuotas(life)
  for (let phase = 0; phase < phases; phase++) {
    world.note(`phase ${phase}`)
    if (life.quotas && world.chance(0.5)) await finish(life, () => setQuotas(life))
    life.phase = phase
    if (!life.lasting || phase === 0) life.bad = pickBad(life)
    archipelago.index.faults.abort = world.chance(0.3) ? 0.05 : 0
    archipelago.index.faults.uncertain = world.chance(0.3) ? 0.05 : 0
    let running = clients
    const problems: unknown[] = []
    for (let client = 0; client < clients; client++) {
      runClient(life, client).then(
        () => running--,
        (error: unknown) => {
          problems.push(error)
          running--
        },
      )
    }
    if (life.quotas) scheduleQuotas(life)
    scheduleFaults(life)
    await world.runUntil(() => running === 0, quietLimitMs)
    problems.push(...life.problems)
    if (problems.length > 0) throw problems[0]
    await heal(life, phase === 1)
    if (phase === 0 && world.chance(0.3)) await changePolicy(life)
    await untilRestored(life)
    await finish(life, () => checkAll(life))
    if (life.quotas) await checkQuotasFit(life)
    if (life.problems.length > 0) throw life.problems[0]
  }
  await finish(life, () => checkListing(life, bucket))
  await untilTidy(life)
  checkAtRest(life)
  await checkKeys(life)
  await checkPowerCut(life)
  await finish(life, () => checkAll(life))
}

function pickBad({ world, archipelago }: Life): Island[] {
  const rest = [...archipelago.providers]
  return Array.from({ length: world.dice(3) }, () => rest.splice(world.dice(rest.length), 1)[0] as Island)
}

/** Faults come and go at random times while clients work. */
function scheduleFaults(life: Life): void {
  const { world, archipelago, phase } = life
  for (const island of life.bad) {
    for (let times = 1 + world.dice(2); times > 0; times--) {
      world.clock.after(world.dice(3000), () => life.phase === phase && applyFault(life, island))
    }
  }
  scheduleRotations(life)
  if (world.chance(0.5)) {
    world.clock.after(world.dice(2500), () => {
      if (life.phase !== phase) return
      archipelago.restartGateway(world.dice(archipelago.gateways.length))
    })
  }
  if (world.chance(0.5)) world.clock.after(world.dice(2500), () => life.phase === phase && pauseGateway(life))
}

/** One gateway stands still for a while, as a machine does that swaps or moves; others take over what it had. */
function pauseGateway({ world, archipelago }: Life): void {
  const at = world.dice(archipelago.gateways.length)
  const { process } = archipelago.gateways[at] as Gateway
  if (process.paused()) return
  world.note(`gateway ${at} stands still`)
  process.pause()
  world.clock.after(500 + world.dice(3500), () => {
    world.note(`gateway ${at} goes on`)
    process.goOn()
  })
}

/** Keys are rotated at random times, of the bucket, of packs and the root's, whose holder may be away for a while. */
function scheduleRotations(life: Life): void {
  const { world, archipelago, phase } = life
  const { root } = archipelago
  const at = (act: () => void) => world.clock.after(world.dice(3000), () => life.phase === phase && act())
  const rotate = (what: string, act: (keys: KeyAdmin) => Promise<unknown>) =>
    at(() => {
      world.note(`the keys of ${what} are rotated`)
      const gateway = archipelago.gateway()
      void ask(gateway, () => act(gateway.storage.keys)).then((outcome) => {
        if (outcome === 'died' || 'value' in outcome || hasCode(outcome.error, ...unrotated)) return
        life.problems.push(outcome.error)
      })
    })
  if (world.chance(0.5)) rotate('the bucket', (keys) => keys.rotateBucket(newCall(), bucket))
  if (world.chance(0.2)) rotate('packs', (keys) => keys.rotatePacks(newCall()))
  if (world.chance(0.3)) at(() => void root.keys.push(world.dice(250)))
  if (world.chance(0.2)) {
    at(() => {
      world.note('the root key is away')
      root.away = true
      world.clock.after(world.dice(2 * quickKeyLimits.keptMs), () => {
        root.away = false
      })
    })
  }
  if (world.chance(0.3)) at(() => void passingBucket(life))
}

/** A bucket that comes and goes while keys are rotated and gateways die; its keys must go with it. */
async function passingBucket({ archipelago, world, problems }: Life): Promise<void> {
  const name = `passing-${world.dice(1_000_000)}`
  const gateway = archipelago.gateway()
  world.note(`the bucket ${name} comes and goes`)
  const steps: ((storage: OpenStorage) => Promise<unknown>)[] = [
    // Under the policy of the other one, so that what is checked of all segments holds for its segments too.
    async ({ objects }) => {
      const { policy } = await objects.getBucket(newCall(), bucket)
      await objects.createBucket(newCall(), { name, policy })
    },
    ({ objects }) => {
      const body = { size: 1, chunks: chunksOf(new Uint8Array(1), 1), finish: () => undefined }
      return objects.putObject(newCall(), { bucket: name, key: 'k', headers: {}, condition: {}, body })
    },
    ({ keys }) => (world.chance(0.5) ? keys.rotateBucket(newCall(), name) : Promise.resolve()),
    ({ objects }) => objects.deleteObject(newCall(), { bucket: name, key: 'k', condition: {} }),
    ({ objects }) => objects.deleteBucket(newCall(), name),
  ]
  for (const step of steps) {
    const outcome = await ask(gateway, () => step(gateway.storage))
    if (outcome === 'died') return
    // With a step that was refused the next ones may be refused too, and the bucket stays.
    if ('error' in outcome && !hasCode(outcome.error, ...unpassed)) problems.push(outcome.error)
  }
}

/** Why a bucket may not have come or gone. */
const unpassed = [
  ...['bucket.missing', 'bucket.owned', 'bucket.filled', 'key.rotating', 'key.retired', 'key.unavailable'],
  ...['pool.short', 'pool.full', 'quota.exceeded', 'write.troubled', 'memory.full', 'commit.lost', 'commit.uncertain'],
  ...['database.busy', 'database.uncertain', 'policy.unsatisfiable', 'object.conflict'],
]

/** Why a rotation may not have begun. */
const unrotated = ['key.rotating', 'key.unavailable', 'database.busy', 'database.uncertain']

function applyFault(life: Life, island: Island): void {
  const { world, archipelago } = life
  const { faults } = island.remote
  const kinds = ['dead', 'stalled', 'slow', 'forgetful', 'lying', 'full', 'crash', 'well']
  if (life.lasting) kinds.push('rot', 'lose', 'falseSync')
  const kind = kinds[world.dice(kinds.length)] as string
  world.note(`fault: ${island.provider.id} ${kind}`)
  switch (kind) {
    case 'dead':
      faults.dead = true
      for (const broken of [...island.remote.broken]) broken()
      break
    case 'stalled':
      faults.stalled = true
      break
    case 'slow':
      faults.delayMs = 400
      break
    case 'forgetful':
      faults.forgetful = 0.5
      break
    case 'lying':
      faults.lying = 0.5
      break
    case 'full':
      island.disk.faults.capacityBytes = 30_000
      break
    case 'crash':
      archipelago.crash(island)
      world.clock.after(500 + world.dice(2000), () => void restart(life, island))
      break
    case 'rot':
    case 'lose':
      life.damaged.add(island.provider.id)
      for (const [path, bytes] of island.disk.files()) {
        if (!/^(shards|bundles)\//.test(path) || !world.chance(0.5)) continue
        if (kind === 'rot') island.disk.rot(path, world.dice(bytes.length * 8))
        else island.disk.lose(path)
      }
      break
    case 'falseSync':
      life.damaged.add(island.provider.id)
      island.disk.faults.lieAboutSync = true
      break
    default:
      Object.assign(faults, noFaults)
  }
}

async function restart({ archipelago }: Life, island: Island): Promise<void> {
  if (!island.remote.node) await archipelago.start(island)
}

/** Everything answers again; what was destroyed stays so. */
async function heal(life: Life, last: boolean): Promise<void> {
  life.phase = -1
  life.world.note('all heals')
  const { archipelago } = life
  archipelago.index.faults.abort = 0
  archipelago.index.faults.uncertain = 0
  archipelago.root.away = false
  for (const island of archipelago.providers) {
    Object.assign(island.remote.faults, noFaults)
    island.disk.faults.capacityBytes = Number.POSITIVE_INFINITY
    if (!island.remote.node) await finish(life, () => restart(life, island))
  }
  // In some lives one does not come back.
  const [candidate] = life.bad
  if (last && !life.lasting && candidate && life.world.chance(0.4)) {
    life.world.note(`${candidate.provider.id} is gone for good`)
    candidate.remote.faults.dead = true
    life.gone = candidate.provider.id
  }
}

async function changePolicy(life: Life): Promise<void> {
  const policy = { ...defaultPolicy, jurisdictions: ['DE', 'FR', 'NL', 'CH'] }
  life.world.note('the policy becomes narrower')
  const { objects } = life.archipelago.gateway().storage
  const { buckets } = await finish(life, () => objects.listBuckets(newCall(), { prefix: '', after: '', limit: 100 }))
  for (const { name } of buckets) await finish(life, () => objects.setBucketPolicy(newCall(), { name, policy }))
}

/** Margins come back by themselves, to the full width that the healthy providers allow. */
async function untilRestored(life: Life): Promise<void> {
  const { world, archipelago } = life
  const started = world.clock.now()
  while (true) {
    const report = await finish(life, () => archipelago.gateway().storage.report())
    const narrow = await finish(life, () => checkAtWidth(life))
    if (report.degraded === 0 && report.repairing === 0 && narrow === undefined && noGaps(life)) return
    if (world.clock.now() - started > quietLimitMs) {
      throw new Error(`margins do not come back: ${JSON.stringify(report)} ${narrow ?? ''}`)
    }
    await sleepFor(life, 200)
  }
}

/** Whether every shard that is known to be lost has been made again. */
const noGaps = ({ archipelago }: Life) => archipelago.index.look('SELECT * FROM gaps').length === 0

/** @returns a segment that is narrower than it could be, or lies where the policy does not want it */
async function checkAtWidth(life: Life): Promise<string | undefined> {
  const { archipelago } = life
  const { policy } = await archipelago.gateway().storage.objects.getBucket(newCall(), bucket)
  const allowed = judge(archipelago.directory, policy).eligible.filter(({ id }) => id !== life.gone)
  const full = `${allowed.length - 2}+2`
  const bad = archipelago.index
    .look('SELECT s.body, s.k, s.m, p.holders FROM segments s JOIN placements p ON p.id = s.placement')
    .find(
      ({ k, m, holders }) =>
        `${k as number}+${m as number}` !== full ||
        (holders as string).split(',').some((id) => !allowed.some((provider) => provider.id === id)),
    )
  return bad && JSON.stringify(bad)
}

/** What nothing refers to goes away by itself, after the times that readers and late writes are given. */
async function untilTidy(life: Life): Promise<void> {
  const started = life.world.clock.now()
  while (true) {
    const left = checkTidy(life)
    if (left === undefined) return
    if (life.world.clock.now() - started > quietLimitMs) throw new Error(`not tidied up: ${left}`)
    await sleepFor(life, 1000)
  }
}

async function checkAll(life: Life): Promise<void> {
  for (const key of life.model.keys()) await readOne(life, key)
}
