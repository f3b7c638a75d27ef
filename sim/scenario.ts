import { createHash } from 'node:crypto'
import { hasCode, PelagoError } from '#kernel'
import { defaultPolicy, judge } from '#pool'
import type { Body } from '#storage'
import { type Archipelago, type Island, openArchipelago, quickLimits } from './archipelago.ts'
import { checkAcknowledged, checkAtRest, checkListing, checkPowerCut, checkTidy } from './checks.ts'
import { bytesOf, chunksOf, type Content } from './content.ts'
import { ask, bucket, callOf, finish, type Life, quietLimitMs, sleepFor } from './life.ts'
import { openModel } from './model.ts'
import { noFaults } from './network.ts'
import { openWorld } from './world.ts'

export type Outcome = { seed: number; fingerprint: string; failure?: string; tail?: string[] }

const phases = 2
const clients = 3
const opsPerClient = 5

/** One life of an archipelago: clients write, read and delete while up to two providers and the gateway fail, then all heals. */
export async function runScenario(seed: number): Promise<Outcome> {
  const world = openWorld(seed)
  let archipelago: Archipelago | undefined
  try {
    // A few lives have segments of many rows.
    const wide = world.chance(0.04)
    archipelago = await openArchipelago(
      world,
      wide ? { ...quickLimits, segmentBytes: 1536 * 1024, writeMemoryBytes: 8 * 1024 * 1024 } : quickLimits,
    )
    await live({
      world,
      archipelago,
      model: openModel(),
      bad: [],
      wide,
      lasting: world.chance(0.3),
      damaged: new Set(),
      died: new Set(),
      nextId: 1,
      phase: -1,
    })
    return { seed, fingerprint: world.fingerprint() }
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { seed, fingerprint: world.fingerprint(), failure, tail: world.tail() }
  } finally {
    archipelago?.close()
  }
}

async function live(life: Life): Promise<void> {
  const { world, archipelago } = life
  await finish(life, () => archipelago.gateway().storage.objects.createBucket(callOf(life), { name: bucket }))
  for (let phase = 0; phase < phases; phase++) {
    world.note(`phase ${phase}`)
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
    scheduleFaults(life)
    await world.runUntil(() => running === 0, quietLimitMs)
    if (problems.length > 0) throw problems[0]
    await heal(life, phase === 1)
    if (phase === 0 && world.chance(0.3)) await changePolicy(life)
    await untilRestored(life)
    await finish(life, () => checkAll(life))
  }
  await finish(life, () => checkListing(life, bucket))
  await untilTidy(life)
  checkAtRest(life)
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
  if (world.chance(0.5)) {
    world.clock.after(world.dice(2500), () => {
      if (life.phase !== phase) return
      archipelago.restartGateway()
      for (const tell of [...life.died]) tell()
      life.died.clear()
    })
  }
}

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
        if (!path.startsWith('shards/') || !world.chance(0.5)) continue
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
  await finish(life, () =>
    life.archipelago.gateway().storage.objects.setBucketPolicy(callOf(life), { name: bucket, policy }),
  )
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
  const { policy } = await archipelago.gateway().storage.objects.getBucket(callOf(life), bucket)
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

/** Errors after which nothing has happened, and which faults explain. */
const refusals = [
  'pool.short',
  'pool.full',
  'write.troubled',
  'memory.full',
  'commit.lost',
  'object.conflict',
  'object.precondition',
  'database.busy',
]

/** @returns whether nobody knows if the write was done. @throws when the error is not one that faults explain */
function uncertain(outcome: { error: unknown } | 'died'): boolean {
  if (outcome === 'died' || hasCode(outcome.error, 'commit.uncertain', 'database.uncertain')) return true
  if (hasCode(outcome.error, ...refusals)) return false
  throw outcome.error
}

async function runClient(life: Life, client: number): Promise<void> {
  const { world } = life
  for (let op = 0; op < opsPerClient; op++) {
    await new Promise<void>((resolve) => void world.clock.after(world.dice(500), resolve))
    const key = `c${client}/k${world.dice(3)}${world.chance(0.3) ? '/sub' : ''}`
    const kind = world.dice(12)
    if (kind < 4) await putOne(life, key)
    else if (kind < 6) await readOne(life, key)
    else if (kind === 6) await readRange(life, key)
    else if (kind === 7) await deleteOne(life, key)
    else if (kind === 8) await uploadOne(life, key)
    else if (kind === 9) await race(life, `race${client}-${op}-${life.nextId}`)
    else if (kind === 10) await putOne(life, key, life.archipelago.limits.intentMs * 2)
    else await readWhileReplaced(life, key)
  }
}

function freshContent(life: Life): Content {
  const { world } = life
  const sizes = [0, 1, 100, 4096, 16_385, 60_000, 300_000]
  const size = life.wide && world.chance(0.5) ? 2_500_000 : world.dice((sizes[world.dice(sizes.length)] as number) + 1)
  return { id: life.nextId++, size }
}

function bodyOf(life: Life, content: Content, sleepMs = 0): Body {
  const bytes = bytesOf(content)
  const right = createHash('md5').update(bytes).digest('hex')
  async function* lateEnd(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* chunks
    if (sleepMs > 0) await new Promise<void>((resolve) => void life.world.clock.after(sleepMs, resolve))
  }
  return {
    size: content.size,
    chunks: lateEnd(chunksOf(bytes, 1 + life.world.dice(100_000))),
    finish(md5) {
      if (Buffer.from(md5).toString('hex') !== right) throw new Error('the body arrived changed')
      return undefined
    },
  }
}

/** @param sleepMs how long the sender waits between its last byte and the end: a writer that slept must not commit */
async function putOne(life: Life, key: string, sleepMs = 0): Promise<void> {
  const { world, model, archipelago } = life
  const content = freshContent(life)
  const { storage } = archipelago.gateway()
  const outcome = await ask(life, () =>
    storage.objects.putObject(callOf(life), {
      bucket,
      key,
      headers: {},
      condition: {},
      body: bodyOf(life, content, sleepMs),
    }),
  )
  world.note(`put ${key} ${content.id}: ${saying(outcome)}`)
  if (outcome !== 'died' && 'value' in outcome) {
    model.set(key, content)
    checkAcknowledged(life, outcome.value.version)
  } else if (uncertain(outcome)) model.maybe(key, content)
}

async function deleteOne(life: Life, key: string): Promise<void> {
  const { model, archipelago } = life
  const { storage } = archipelago.gateway()
  const outcome = await ask(life, () => storage.objects.deleteObject(callOf(life), { bucket, key, condition: {} }))
  if (outcome !== 'died' && 'value' in outcome) model.set(key, undefined)
  else if (uncertain(outcome)) model.maybe(key, undefined)
}

async function uploadOne(life: Life, key: string): Promise<void> {
  const { world, model, archipelago } = life
  const { storage } = archipelago.gateway()
  const call = callOf(life)
  const content = freshContent(life)
  const begun = await ask(life, () => storage.objects.createUpload(call, { bucket, key, headers: {} }))
  if (begun === 'died' || 'error' in begun) return void uncertain(begun)
  const upload = begun.value.id
  let etag = ''
  // A part may be sent again, with other bytes; the last one counts.
  for (const one of world.chance(0.3) ? [freshContent(life), content] : [content]) {
    const part = await ask(life, () =>
      storage.objects.putPart(call, { bucket, key, upload, number: 1, body: bodyOf(life, one) }),
    )
    if (part === 'died' || 'error' in part) return void uncertain(part)
    etag = part.value.etag
  }
  if (world.chance(0.3)) {
    const aborted = await ask(life, () => storage.objects.abortUpload(call, { bucket, key, upload }))
    if (aborted === 'died' || 'error' in aborted) uncertain(aborted)
    return
  }
  const input = { bucket, key, upload, parts: [{ number: 1, etag }], condition: {}, combine: () => undefined }
  const completed = await ask(life, () => storage.objects.completeUpload(call, input))
  world.note(`complete ${key} ${content.id}: ${saying(completed)}`)
  if (completed !== 'died' && 'value' in completed) model.set(key, content)
  else if (uncertain(completed)) model.maybe(key, content)
}

/** Several writers who each want to be the first: one at most is. */
async function race(life: Life, key: string): Promise<void> {
  const { model, archipelago } = life
  const { storage } = archipelago.gateway()
  const contents = Array.from({ length: 4 }, () => ({ ...freshContent(life), size: 50 }))
  const outcomes = await Promise.all(
    contents.map((content) =>
      ask(life, () =>
        storage.objects.putObject(callOf(life), {
          bucket,
          key,
          headers: {},
          condition: { ifNoneMatch: true },
          body: bodyOf(life, content),
        }),
      ),
    ),
  )
  const winners = contents.filter((_, at) => {
    const outcome = outcomes[at]
    return outcome !== undefined && outcome !== 'died' && 'value' in outcome
  })
  if (winners.length > 1) throw new Error(`${winners.length} writers were the first at ${key}`)
  if (winners.length === 1) return model.set(key, winners[0])
  outcomes.forEach((outcome, at) => {
    if ((outcome === 'died' || 'error' in outcome) && uncertain(outcome)) model.maybe(key, contents[at])
  })
}

async function readOne(life: Life, key: string): Promise<void> {
  const { model, archipelago } = life
  const { storage } = archipelago.gateway()
  const outcome = await ask(life, () => readWhole(life, storage, key))
  if (outcome === 'died') return
  if ('error' in outcome) {
    if (!hasCode(outcome.error, 'object.missing')) throw outcome.error
    if (!model.observe(key, undefined))
      throw new Error(`${key} is gone, but should hold ${JSON.stringify(model.possible(key))}`)
    return
  }
  const found = model.possible(key).find((content) => content && Buffer.compare(outcome.value, bytesOf(content)) === 0)
  if (!found)
    throw new Error(
      `${key} holds ${outcome.value.length} bytes that nobody wrote there; expected ${JSON.stringify(model.possible(key))}`,
    )
  model.observe(key, found)
}

async function readWhole(
  life: Life,
  storage: ReturnType<Archipelago['gateway']>['storage'],
  key: string,
): Promise<Uint8Array> {
  const opened = await storage.objects.openObject(callOf(life), { bucket, key })
  if (opened.info.size === 0) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  for await (const chunk of opened.read(undefined)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Reads on while the object is replaced and its shards become garbage: a reader keeps the version that it began with. */
async function readWhileReplaced(life: Life, key: string): Promise<void> {
  const { world, model, archipelago } = life
  const { storage } = archipelago.gateway()
  const before = model.possible(key)
  const outcome = await ask(life, async () => {
    const opened = await storage.objects.openObject(callOf(life), { bucket, key })
    await putOne(life, key)
    await new Promise<void>((resolve) => void world.clock.after(archipelago.limits.readerGraceMs / 2, resolve))
    if (opened.info.size === 0) return new Uint8Array(0)
    const chunks: Uint8Array[] = []
    for await (const chunk of opened.read(undefined)) chunks.push(chunk)
    return Buffer.concat(chunks)
  })
  if (outcome === 'died') return
  if ('error' in outcome) {
    if (!hasCode(outcome.error, 'object.missing')) throw outcome.error
    return
  }
  const fits = before.some((content) => content && Buffer.compare(outcome.value, bytesOf(content)) === 0)
  if (!fits) throw new Error(`a reader of ${key} got another version's bytes`)
}

async function readRange(life: Life, key: string): Promise<void> {
  const { world, model, archipelago } = life
  const { storage } = archipelago.gateway()
  const [first, second] = [world.dice(1000) / 1000, world.dice(1000) / 1000]
  const outcome = await ask(life, async () => {
    const opened = await storage.objects.openObject(callOf(life), { bucket, key })
    const { size } = opened.info
    if (size === 0) return undefined
    const range = {
      first: Math.floor(Math.min(first, second) * size),
      last: Math.floor(Math.max(first, second) * size),
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of opened.read(range)) chunks.push(chunk)
    return { range, bytes: Buffer.concat(chunks), size }
  })
  if (outcome === 'died') return
  if ('error' in outcome) {
    if (!hasCode(outcome.error, 'object.missing')) throw outcome.error
    return
  }
  const { value } = outcome
  if (!value) return
  const fits = model.possible(key).some((content) => {
    if (content?.size !== value.size) return false
    const whole = bytesOf(content)
    return Buffer.compare(whole.subarray(value.range.first, value.range.last + 1), value.bytes) === 0
  })
  if (!fits) throw new Error(`bytes ${value.range.first}-${value.range.last} of ${key} are not what was written`)
}

function saying(outcome: { value: unknown } | { error: unknown } | 'died'): string {
  if (outcome === 'died') return 'the gateway died'
  if ('value' in outcome) return 'done'
  return outcome.error instanceof PelagoError ? outcome.error.code : String(outcome.error)
}
