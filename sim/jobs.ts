import { type Json, PelagoError, type Row, type Statement, sql } from '#kernel'
import {
  cancelJob,
  checkFence,
  enqueueJob,
  type Fence,
  type Job,
  type JobKind,
  newJobId,
  startWork,
  workMigrations,
} from '#work'
import { quickWork } from './archipelago.ts'
import { newCall } from './life.ts'
import { openSimDatabase, type SimDatabase } from './ports/database.ts'
import { openProcess, type Process } from './process.ts'
import type { Outcome } from './scenario.ts'
import { openWorld, type World } from './world.ts'

const tenant = newCall().tenant
/** Virtual time in which faults happen, and then at most until all jobs have ended. */
const faultyMs = 20_000
const quietMs = 200_000
const lastingMs = 300

/** What jobs did, in the order in which it was committed. */
const effects = {
  component: 'effects',
  migrations: [
    {
      id: 1,
      name: 'effects',
      statements: [
        'CREATE TABLE effects (at INTEGER PRIMARY KEY, job {text} NOT NULL, step {int} NOT NULL, token {int} NOT NULL)',
      ],
    },
  ],
}

function* note(fence: Fence, step: number): Generator<Statement, void, Row[]> {
  yield sql`INSERT INTO effects (job, step, token) VALUES (${fence.job}, ${step}, ${fence.token})`
}

/** Two or three gateways do jobs for some tenants while they die, stand still, and their database fails them. */
export async function runJobs(seed: number): Promise<Outcome> {
  const world = openWorld(seed)
  const database = openSimDatabase('index', world, [{ component: 'work', migrations: workMigrations }, effects])
  try {
    await live(world, database)
    return { seed, fingerprint: world.fingerprint() }
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { seed, fingerprint: world.fingerprint(), failure, tail: world.tail() }
  } finally {
    database.close()
  }
}

/** What the one who asked for a job was told. */
type Asked = { id: string; kind: string; steps: number; known: boolean; endedAt?: number }

async function live(world: World, database: SimDatabase): Promise<void> {
  const start = (): Process => {
    const process = openProcess(world.clock)
    const log = (level: string, event: string, facts = {}) => world.note(`${level} ${event} ${JSON.stringify(facts)}`)
    const ports = { database: database.connect(process), clock: process.clock, random: world.random, log }
    startWork(ports, kindsOf(world, process, database), quickWork)
    return process
  }
  const gateways = Array.from({ length: 2 + world.dice(2) }, start)
  const asked: Asked[] = []
  const asker = openProcess(world.clock)
  const asking = ask(world, database, asker, asked)
  database.faults.abort = 0.05
  database.faults.uncertain = 0.05
  for (let fault = 4 + world.dice(6); fault > 0; fault--) {
    world.clock.after(world.dice(faultyMs), () => {
      const at = world.dice(gateways.length)
      if (world.chance(0.4)) {
        world.note(`gateway ${at} dies`)
        gateways[at]?.die()
        gateways[at] = start()
      } else {
        const process = gateways[at] as Process
        world.note(`gateway ${at} stands still`)
        process.pause()
        world.clock.after(200 + world.dice(4000), process.goOn)
      }
    })
  }
  let healed = false
  world.clock.after(faultyMs + 5000, () => {
    database.faults.abort = 0
    database.faults.uncertain = 0
    for (const process of gateways) process.goOn()
    healed = true
  })
  let allAsked = false
  void asking.then(() => {
    allAsked = true
  })
  const left = () =>
    database.look(
      "SELECT id, kind, state, because FROM jobs WHERE ended_at IS NULL AND kind <> 'lasting' AND kind <> 'work.tidy'",
    )
  await world.runUntil(() => healed && allAsked, faultyMs * 2)
  const until = world.clock.now() + quietMs
  await world.runUntil(() => left().length === 0 || world.clock.now() > until, quietMs * 2)
  if (left().length > 0) throw new Error(`jobs that do not end: ${JSON.stringify(left().slice(0, 3))}`)
  for (const process of gateways) process.die()
  check(database, asked)
}

/** Jobs come at random times; the asker may not learn whether they are there. Some are cancelled. */
async function ask(world: World, database: SimDatabase, asker: Process, asked: Asked[]): Promise<void> {
  const connection = database.connect(asker)
  const names = ['count', 'count', 'outside', 'stumbling', 'hopeless']
  const one = async () => {
    const kind = names[world.dice(names.length)] as string
    const steps = 1 + world.dice(6)
    const id = newJobId({ clock: world.clock, random: world.random })
    const job = { id, kind, tenant, about: 'sim', input: { steps } as Json, now: world.clock.now() }
    const entry: Asked = { id, kind, steps, known: false }
    asked.push(entry)
    const known = await connection
      .transact(() => enqueueJob(job))
      .then(
        () => true,
        () => false,
      )
    entry.known = known
    if (!known || !world.chance(0.15)) return
    await new Promise<void>((resolve) => void world.clock.after(world.dice(4000), resolve))
    try {
      await cancelJob({ database: connection, clock: world.clock, *state() {} }, newCall(), id)
      world.note(`${id} is cancelled`)
      entry.endedAt = Number(database.look('SELECT COALESCE(MAX(at), 0) AS at FROM effects')[0]?.at)
    } catch (error) {
      if (!(error instanceof PelagoError)) throw error
    }
  }
  const all: Promise<void>[] = []
  for (let jobs = 20 + world.dice(20); jobs > 0; jobs--) {
    all.push(new Promise<void>((resolve) => void world.clock.after(world.dice(faultyMs), resolve)).then(one))
  }
  await Promise.all(all)
}

function kindsOf(world: World, process: Process, database: SimDatabase): JobKind[] {
  const connection = database.connect(process)
  const take = (ms: number) => new Promise<void>((resolve) => void process.clock.after(ms, resolve))
  const stepsOf = (job: Job) => (job.input as { steps: number }).steps
  const further = (job: Job) => {
    const done = job.done + 1
    const total = stepsOf(job)
    const next = done < total ? (world.chance(0.2) ? 'rest' : 'more') : 'done'
    return { next, restMs: 500, done, total, says: `${done} of ${total} steps done.` } as const
  }
  return [
    {
      // A step is a transaction, in which the progress is saved.
      name: 'count',
      mend: '',
      async step(job, fence) {
        // Some steps take longer than a lease that nobody renews.
        await take(stepsOf(job) === 3 && job.done === 1 ? 4000 : world.dice(300))
        const progress = further(job)
        return function* () {
          yield* note(fence, progress.done)
          return progress
        }
      },
    },
    {
      // What a step does is committed apart from its progress, so it may be done again.
      name: 'outside',
      mend: '',
      async step(job, fence) {
        await take(world.dice(2500))
        await connection.transact(function* () {
          yield* checkFence(fence)
          yield* note(fence, job.done + 1)
        })
        await take(world.dice(200))
        return further(job)
      },
    },
    {
      name: 'stumbling',
      mend: '',
      async step(job, fence) {
        await take(world.dice(100))
        if (world.chance(0.3)) throw new Error('a fault')
        const progress = further(job)
        return function* () {
          yield* note(fence, progress.done)
          return progress
        }
      },
    },
    {
      name: 'hopeless',
      mend: 'Ask for something that is possible.',
      async step() {
        await take(world.dice(100))
        throw new PelagoError('sim.never', { kind: 'invalid', retryable: false, message: 'It cannot be done.' })
      },
    },
    {
      name: 'lasting',
      everyMs: lastingMs,
      mend: '',
      async step(job, fence) {
        await take(world.dice(100))
        const done = job.done + 1
        return function* () {
          yield* note(fence, done)
          return { next: 'rest', done, says: `${done} rounds.` }
        }
      },
    },
  ]
}

/** Nothing is done twice with effect, nobody works on with what he lost, nothing that was promised is missing. */
function check(database: SimDatabase, asked: readonly Asked[]): void {
  const rows = database.look('SELECT * FROM effects ORDER BY at')
  const of = new Map<string, Row[]>()
  for (const row of rows) of.set(row.job as string, [...(of.get(row.job as string) ?? []), row])
  for (const [job, done] of of) {
    const tokens = done.map(({ token }) => token as number)
    if (tokens.some((token, at) => at > 0 && token < (tokens[at - 1] as number)))
      throw new Error(`${job} was done by one who had lost it: ${tokens.join()}`)
  }
  const states = new Map(
    database.look('SELECT id, state, says, because FROM jobs').map((row) => [row.id as string, row]),
  )
  for (const { id, kind, steps, known, endedAt } of asked) {
    const row = states.get(id)
    if (!row && known) throw new Error(`${id} is lost`)
    if (!row) continue
    const done = of.get(id) ?? []
    const counted = done.map(({ step }) => step as number)
    const inOrder = counted.every((step, at) => step === at + 1)
    if (kind !== 'outside' && !inOrder) throw new Error(`${kind} ${id} did its steps like this: ${counted.join()}`)
    if (row.state === 'done' && new Set(counted).size !== steps)
      throw new Error(`${kind} ${id} is done with ${counted.length} of ${steps} steps`)
    if (
      kind === 'hopeless' &&
      row.state !== 'cancelled' &&
      (row.state !== 'failed' || row.because !== 'It cannot be done.')
    )
      throw new Error(`${id} cannot be done, but is ${JSON.stringify(row)}`)
    if (kind === 'count' && row.state === 'failed') throw new Error(`${id} was given up: ${row.because as string}`)
    const late = done.find(({ at }) => endedAt !== undefined && (at as number) > endedAt)
    if (late) throw new Error(`${id} went on after it was cancelled`)
  }
  const rounds = (of.get('lasting') ?? []).map(({ step }) => step as number)
  if (!rounds.every((step, at) => step === at + 1)) throw new Error(`rounds were done like this: ${rounds.join()}`)
  if (rounds.length < faultyMs / lastingMs / 8) throw new Error(`only ${rounds.length} rounds were done`)
}
