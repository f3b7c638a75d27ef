import {
  hideName,
  openLogCheck,
  type Entry,
  journalMigrations,
  keyOfShown,
  type KeptHead,
  listHeads,
  listLog,
  openSealedLog,
  parseHead,
  type SealedLog,
  showLog,
} from '#journal'
import { type Database, hasCode, type Log, type Row } from '#kernel'
import { type Directory, demoPool } from '#pool'
import { indexMigrations, keyMigrations, openKeyStore, openStorage, type OpenStorage, type ShardStore } from '#storage'
import { openSimRoot, quickLimits } from './archipelago.ts'
import { openSimDatabase, type SimDatabase } from './ports/database.ts'
import { openProcess } from './process.ts'
import { openWorld, type World } from './world.ts'

/** Gateways on one database. */
const gateways = 3
const actsEach = 12
const limitMs = 300_000
const journal = { nameKey: Buffer.alloc(32, 7) }
/** All that a backup of the index brings back. */
const restoredTables = ['buckets', 'log_pending', 'log_entries', 'log_names', 'log_nodes', 'log_keys', 'log_heads']

/** An administrative act: `done` is undefined while nobody knows whether it happened. */
type Act = { topic: string; bucket: string; began: number; ended: number | undefined; done: boolean | undefined }

type Gateway = { storage: OpenStorage; log: SealedLog; alive(): boolean }
type Place = {
  kept: KeptHead & { note: string | undefined; restored: string | undefined }
  gateway: Gateway | undefined
  incarnation: number
}

type Life = {
  world: World
  index: SimDatabase
  keys: SimDatabase
  places: Place[]
  acts: Act[]
  /** Every head that anybody ever saw, by log and size. */
  heads: Map<string, string>
  nextName: number
  /** What no fault explains. */
  problems: unknown[]
}

/**
 * One life of a log: several gateways state administrative acts and seal them while they die, commits are uncertain, keys
 * change, and in some lives the database is put back to an older state.
 * @returns the fingerprint of its trace. @throws when an act is lost or invented, or the log does not hold
 */
export async function runLogLife(seed: number): Promise<string> {
  const world = openWorld(seed ^ 0x106)
  const index = openSimDatabase('index', world, [
    { component: 'index', migrations: indexMigrations },
    { component: 'journal', migrations: journalMigrations },
  ])
  const keys = openSimDatabase('keys', world, [{ component: 'keys', migrations: keyMigrations }])
  const life: Life = { world, index, keys, places: [], acts: [], heads: new Map(), nextName: 1, problems: [] }
  life.places = Array.from({ length: gateways }, () => ({ kept: keptHead(life), gateway: undefined, incarnation: 0 }))
  try {
    await liveLog(life)
    return world.fingerprint()
  } finally {
    for (const place of life.places) place.incarnation++
    index.close()
    keys.close()
  }
}

async function liveLog(life: Life): Promise<void> {
  const { world, index } = life
  for (const place of life.places) await settled(world, start(life, place))
  await acting(life)
  if (world.chance(0.3)) {
    await sealAll(life)
    copy(life, 'kept_', '')
    const before = life.acts.length
    const size = sizeOf(life)
    await acting(life)
    if (world.chance(0.7)) await sealAll(life)
    for (const place of life.places) kill(place)
    world.note('the database is put back')
    copy(life, '', 'kept_')
    life.acts.splice(before)
    await restart(life, size)
    await acting(life)
  }
  index.faults.abort = 0
  index.faults.uncertain = 0
  for (const place of life.places) if (!place.gateway) await settled(world, start(life, place))
  await sealAll(life)
  await settled(world, check(life))
}

/** Whoever saw more than there is now must refuse, and go on once somebody says that it is meant. */
async function restart(life: Life, size: number): Promise<void> {
  Object.assign(life.index.faults, { abort: 0, uncertain: 0 })
  for (const place of life.places) {
    const seen = place.kept.note === undefined ? 0 : (parseHead(place.kept.note)?.size ?? 0)
    const older = seen > size
    const error = await settled(life.world, start(life, place)).then(
      () => undefined,
      (problem: unknown) => problem,
    )
    if (older !== hasCode(error, 'log.older'))
      throw new Error(`saw ${seen}, there are ${size}, and starting said: ${String(error)}`)
    if (!older) continue
    place.kept.restored = place.kept.note
    place.kept.note = undefined
    await settled(life.world, start(life, place))
  }
}

/** All gateways act at once while faults come; ends when each has done its acts. */
async function acting(life: Life): Promise<void> {
  const { world, index } = life
  index.faults.abort = world.chance(0.4) ? 0.1 : 0
  index.faults.uncertain = world.chance(0.4) ? 0.1 : 0
  let running = gateways
  const problems: unknown[] = []
  for (const place of life.places) {
    actFrom(life, place).then(
      () => running--,
      (error: unknown) => {
        problems.push(error)
        running--
      },
    )
  }
  await world.runUntil(() => running === 0, limitMs)
  const problem = problems[0] ?? life.problems[0]
  if (problem !== undefined) throw problem
}

async function actFrom(life: Life, place: Place): Promise<void> {
  const { world } = life
  for (let left = actsEach; left > 0; left--) {
    await pause(world, world.dice(200))
    if (!place.gateway) await retry(life, () => start(life, place))
    const { gateway } = place
    if (!gateway) continue
    const dice = world.dice(20)
    if (dice === 0) {
      world.note('a gateway dies')
      kill(place)
    } else if (dice <= 2) {
      // The answer of an act that is cut off never comes.
      const act = doSome(life, gateway)
      await pause(world, world.dice(6))
      kill(place)
      act.catch(() => 'it is as good as unknown')
    } else if (dice === 3) await orNot(gateway.log.rotate('operator'))
    else if (dice <= 8) await orNot(gateway.log.seal())
    else await doSome(life, gateway)
  }
}

/** One act, through the verbs of the product. */
async function doSome(life: Life, { storage }: Gateway): Promise<void> {
  const { world } = life
  const known = life.acts.filter(({ topic, done }) => topic === 'bucket.created' && done === true)
  const old = known.length > 0 && world.chance(0.6) ? known[world.dice(known.length)] : undefined
  const name = old?.bucket ?? `bucket-${life.nextName++}`
  const call = { actor: 'operator', tenant: 'acme', signal: new AbortController().signal, trace: 'sim' }
  const [topic, deed]: [string, () => Promise<unknown>] = !old
    ? ['bucket.created', () => storage.objects.createBucket(call, { name })]
    : world.chance(0.5)
      ? ['bucket.etags', () => storage.objects.setBucketEtags(call, { name, etags: 'opaque' })]
      : ['bucket.deleted', () => storage.objects.deleteBucket(call, name)]
  const act: Act = { topic, bucket: name, began: world.clock.now(), ended: undefined, done: undefined }
  life.acts.push(act)
  try {
    await deed()
    act.done = true
  } catch (error) {
    // What says that nothing happened is believed; what does not know leaves it open.
    if (!hasCode(error, 'database.uncertain')) act.done = false
  }
  act.ended = world.clock.now()
  world.note(`${topic} ${name} ${String(act.done)}`)
}

async function start(life: Life, place: Place): Promise<void> {
  const { world } = life
  const mine = ++place.incarnation
  const alive = () => place.incarnation === mine
  const process = openProcess(world.clock, alive)
  const { clock } = process
  const log: Log = (level, event, facts) => world.note(`${level} ${event} ${JSON.stringify(facts ?? {})}`)
  const database: Database = life.index.connect(process)
  const keys = openKeyStore({
    ...{ clock, database: life.keys.connect(process), random: world.random, root: openSimRoot() },
    log: () => {},
  })
  const { kept } = place
  const sealed = await openSealedLog({ database, clock, log, random: world.random, journal, secret: keys.secret, kept })
  const storage = openStorage(
    {
      ...{ clock, random: world.random, offload: world.offload, log, index: database, keys, journal },
      directory: () => directory,
      shards: (): ShardStore => {
        throw new Error('nothing is stored in this life')
      },
    },
    quickLimits,
  )
  if (!alive()) return
  place.gateway = { storage, log: sealed, alive }
  const seal = () => {
    clock.after(50 + world.dice(300), () => {
      orNot(sealed.seal()).then(seal, (error: unknown) => life.problems.push(error))
    })
  }
  seal()
}

function kill(place: Place): void {
  place.incarnation++
  place.gateway = undefined
}

/** A file that outlives the process; every head that gets there is remembered. */
function keptHead(life: Life): Place['kept'] {
  const kept: Place['kept'] = {
    file: 'log-head',
    note: undefined,
    restored: undefined,
    load: async () => kept.note,
    async save(note) {
      remember(life, note)
      kept.note = note
    },
    loadRestored: async () => kept.restored,
    async dropRestored() {
      kept.restored = undefined
    },
  }
  return kept
}

function remember({ heads }: Life, note: string): void {
  const head = parseHead(note)
  if (!head) throw new Error('what was kept is no head')
  const at = `${head.log}/${head.size}`
  const other = heads.get(at)
  if (other !== undefined && other !== note) throw new Error(`there are two heads of size ${head.size}`)
  heads.set(at, note)
}

async function sealAll(life: Life): Promise<void> {
  const { world, index } = life
  const faults = { ...index.faults }
  Object.assign(index.faults, { abort: 0, uncertain: 0 })
  for (const place of life.places) if (!place.gateway) await settled(world, start(life, place))
  // What was under way has come to its end.
  await settled(world, pause(world, 1000))
  const gateway = life.places[0]?.gateway
  if (!gateway) throw new Error('no gateway runs')
  while ((await settled(world, gateway.log.seal())) === 'more');
  Object.assign(index.faults, faults)
}

const sizeOf = ({ index }: Life) => index.look('SELECT COUNT(*) AS n FROM log_entries')[0]?.n as number

/** Copies the tables of the index from under one prefix to another. */
function copy({ index }: Life, to: string, from: string): void {
  for (const table of restoredTables) {
    if (to !== '') index.look(`CREATE TABLE ${to}${table} AS SELECT * FROM ${from}${table}`)
    else {
      index.look(`DELETE FROM ${table}`)
      index.look(`INSERT INTO ${table} SELECT * FROM ${from}${table}`)
    }
  }
}

async function check(life: Life): Promise<void> {
  const database = life.index.connect(openProcess(life.world.clock))
  const ports = { database, journal }
  const seen = (await listLog(ports, { tenant: 'acme' }, { after: 0, limit: 10_000 })).entries
  const { heads } = await listHeads(ports, { after: 0, limit: 10_000 })
  const { keys } = await showLog(ports)
  const logKeys = keys.map(keyOfShown).filter((key) => key !== undefined)
  for (const { note } of heads) remember(life, note)
  for (const place of life.places) {
    const all = openLogCheck(logKeys)
    for (const { note } of heads) all.head(note)
    for (const entry of seen) all.entry(entry)
    const fault = all.end(place.kept.note).find((found) => found.fault !== undefined)
    if (fault) throw new Error(`the log does not hold: ${fault.says}: ${fault.fault}`)
  }
  if (life.index.look('SELECT id FROM log_pending').length > 0) throw new Error('something still waits')
  const entries = seen.map(({ entry }) => entry as Entry).filter(({ topic }) => topic.startsWith('bucket.'))
  checkActs(life, entries)
  checkBuckets(life, entries)
}

/** What was acknowledged is in the log once; nothing is in it that nobody did. */
function checkActs(life: Life, entries: readonly Entry[]): void {
  const rest = [...entries]
  const take = (act: Act) => {
    const name = hideName(journal, 'acme', act.bucket)
    const at = rest.findIndex(({ topic, facts }) => topic === act.topic && facts.name === name)
    if (at >= 0) rest.splice(at, 1)
    return at >= 0
  }
  for (const act of life.acts) {
    if (act.done && !take(act)) throw new Error(`${act.topic} of ${act.bucket} was acknowledged, but is not in the log`)
  }
  for (const act of life.acts) if (act.done === undefined) take(act)
  if (rest.length > 0)
    throw new Error(`nobody did ${rest.map(({ topic, sequence }) => `${topic} (${sequence})`).join()}`)
}

/** The log says of each bucket what is true: first that it came, last that it went, and exactly those are there that did not go. */
function checkBuckets({ index }: Life, entries: readonly Entry[]): void {
  const last = new Map<string, string>()
  for (const { topic, about } of entries) {
    if ((topic === 'bucket.created') === last.has(about)) throw new Error(`${topic} of ${about} comes out of order`)
    if (last.get(about) === 'bucket.deleted') throw new Error(`${topic} of ${about} comes after it was deleted`)
    last.set(about, topic)
  }
  const logged = [...last].filter(([, topic]) => topic !== 'bucket.deleted').map(([about]) => about)
  const there = index.look('SELECT id FROM buckets').map(({ id }: Row) => id as string)
  if (logged.sort().join() !== there.sort().join())
    throw new Error(`by the log there are ${logged.length} buckets, but there are ${there.length}, or others`)
}

/** What fails by a fault is tried again until it is done. */
async function retry(life: Life, act: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!isFault(error)) throw error
      await pause(life.world, 50)
    }
  }
}

/** What fails by a fault is not done. */
async function orNot(act: Promise<unknown>): Promise<void> {
  try {
    await act
  } catch (error) {
    if (!isFault(error)) throw error
  }
}

const isFault = (error: unknown) => hasCode(error, 'database.busy', 'database.uncertain')

function pause(world: World, ms: number): Promise<void> {
  return new Promise((resolve) => void world.clock.after(ms, resolve))
}

/** Runs the world until a promise settles. */
async function settled<T>(world: World, promise: Promise<T>): Promise<T> {
  let done = false
  const end = () => {
    done = true
  }
  promise.then(end, end)
  await world.runUntil(() => done, limitMs)
  return promise
}

/** Only policies are judged by it. */
const directory: Directory = {
  version: 1,
  issuedAt: 0,
  expiresAt: Number.MAX_SAFE_INTEGER,
  providers: demoPool.map((facts, at) => ({
    ...facts,
    endpoint: `http://${facts.id}.example`,
    publicKey: `${at}`.repeat(64),
    capacityBytes: 1,
  })),
}
