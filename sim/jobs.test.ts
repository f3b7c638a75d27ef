import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PelagoError, type Row } from '#kernel'
import {
  cancelJob,
  defaultWorkLimits,
  enqueueJob,
  type Job,
  type JobKind,
  listJobs,
  newJobId,
  retryJob,
  showJob,
  startWork,
  workMigrations,
} from '#work'
import { openSimDatabase } from './ports/database.ts'
import { openProcess, type Process } from './process.ts'
import { openWorld, type World } from './world.ts'

type House = ReturnType<typeof openHouse>

function openHouse(seed = 1) {
  const world: World = openWorld(seed)
  const database = openSimDatabase('index', world, [{ component: 'work', migrations: workMigrations }])
  const asker = openProcess(world.clock)
  const connection = database.connect(asker)
  const stated: string[] = []
  const ports = {
    ...{ database: connection, clock: world.clock },
    *state(act: string) {
      stated.push(act)
    },
  }
  const settle = async <T>(act: Promise<T>): Promise<T> => {
    let done = false
    const end = () => {
      done = true
    }
    act.then(end, end)
    await world.runUntil(() => done, 1_000_000)
    return act
  }
  return {
    world,
    database,
    settle,
    ports,
    stated,
    gateway(kinds: JobKind[]): Process {
      const process = openProcess(world.clock)
      const log = (level: string, event: string, facts = {}) => world.note(`${level} ${event} ${JSON.stringify(facts)}`)
      startWork({ database: database.connect(process), clock: process.clock, random: world.random, log }, kinds)
      return process
    },
    enqueue: (kind: string, tenant = 'acme', single?: string): Promise<string> => {
      const id = newJobId({ clock: world.clock, random: world.random })
      const job = { id, kind, tenant, about: 'it', input: null, now: world.clock.now(), ...(single && { single }) }
      return settle(connection.transact(() => enqueueJob(job)))
    },
    rows: (where: string): Row[] => database.look(`SELECT * FROM jobs WHERE ${where} ORDER BY id`),
    async sleep(ms: number) {
      let over = false
      world.clock.after(ms, () => {
        over = true
      })
      await world.runUntil(() => over, ms + 1)
    },
  }
}

const callOf = (tenant = 'acme') => ({ actor: 'a', tenant, signal: new AbortController().signal, trace: '' })
const takes = (house: House, ms: number) => new Promise<void>((resolve) => void house.world.clock.after(ms, resolve))

/** A job of so many steps. */
function counting(
  house: House,
  steps: number,
  ms: number,
  onStep: (job: Job, now: number) => void = () => {},
): JobKind {
  return {
    name: 'count',
    mend: 'Count yourself.',
    async step(job, _, signal) {
      await takes(house, ms)
      signal.throwIfAborted()
      onStep(job, house.world.clock.now())
      const done = job.done + 1
      return { next: done < steps ? 'more' : 'done', done, total: steps, says: `${done} of ${steps}` }
    },
  }
}

test('a thousand jobs of one tenant do not hold up the one of another', async () => {
  const house = openHouse()
  for (let at = 0; at < 1000; at++) await house.enqueue('count', 'greedy')
  const id = await house.enqueue('count', 'modest')
  const began = house.world.clock.now()
  house.gateway([counting(house, 10, 300)])
  await house.world.runUntil(() => house.rows(`id = '${id}' AND state = 'done'`).length === 1, 60_000)
  const took = house.world.clock.now() - began
  // Three seconds of work, in slices of one, each after at most one slice of the other's.
  assert.ok(took < 9000, `it took ${took} ms`)
  const finished = house.rows("tenant = 'greedy' AND state = 'done'").length
  assert.ok(finished < 20, `${finished} others were done before`)
})

test('at most so many jobs run at once in one gateway; lasting work does not wait for them', async () => {
  const house = openHouse()
  let [running, most, rounds] = [0, 0, 0]
  const slow: JobKind = {
    name: 'slow',
    mend: '',
    async step() {
      most = Math.max(most, ++running)
      await takes(house, 5000)
      running--
      return { next: 'done', says: '' }
    },
  }
  const lasting: JobKind = {
    name: 'lasting',
    everyMs: 1000,
    mend: '',
    async step() {
      rounds++
      return { next: 'rest', says: `${rounds} rounds` }
    },
  }
  for (let at = 0; at < 40; at++) await house.enqueue('slow')
  house.gateway([slow, lasting])
  await house.sleep(20_000)
  assert.equal(most, defaultWorkLimits.atOnce)
  assert.ok(rounds >= 15, `${rounds} rounds`)
})

test('a gateway that stood still longer than its lease cannot commit; the job goes on where it was', async () => {
  const house = openHouse()
  const steps: string[] = []
  const kind = (name: string) =>
    counting(house, 6, 2000, (job) => {
      steps.push(`${name}${job.done}`)
    })
  const first = house.gateway([kind('a')])
  const id = await house.enqueue('count')
  await house.sleep(5000)
  first.pause()
  house.gateway([kind('b')])
  await house.sleep(2 * defaultWorkLimits.leaseMs)
  first.goOn()
  await house.world.runUntil(() => house.rows(`id = '${id}' AND state = 'done'`).length === 1, 60_000)
  const [job] = house.rows(`id = '${id}'`)
  assert.equal(job?.done, 6)
  assert.ok(
    steps.some((step) => step.startsWith('b')),
    steps.join(),
  )
  // What was saved is not done again.
  const saved = steps.filter((step) => step.startsWith('b')).map((step) => Number(step.slice(1)))
  assert.deepEqual(
    saved,
    [...saved].sort((x, y) => x - y),
  )
})

test('a step that fails is tried again, later each time, and given up in words in the end', async () => {
  const house = openHouse()
  const times: number[] = []
  const kind: JobKind = {
    name: 'broken',
    mend: 'Mend it.',
    async step() {
      times.push(house.world.clock.now())
      throw new Error('secret /etc/passwd')
    },
  }
  house.gateway([kind])
  const id = await house.enqueue('broken')
  await house.world.runUntil(() => house.rows(`id = '${id}' AND state = 'failed'`).length === 1, 600_000)
  const pauses = times.slice(1).map((time, at) => time - (times[at] as number))
  assert.equal(times.length, 8)
  assert.ok(
    pauses.every((pause, at) => at === 0 || pause > (pauses[at - 1] as number) || pause >= 60_000),
    pauses.join(),
  )
  const job = await house.settle(showJob(house.ports, callOf(), id))
  assert.match(job.because, /Something unforeseen went wrong; the log has it under job/)
  assert.ok(!job.because.includes('passwd'))
  const hopeless: JobKind = {
    name: 'hopeless',
    mend: '',
    async step() {
      throw new PelagoError('x.y', { kind: 'invalid', retryable: false, message: 'There is no such thing.' })
    },
  }
  house.gateway([hopeless])
  const other = await house.enqueue('hopeless')
  await house.sleep(3000)
  const given = await house.settle(showJob(house.ports, callOf(), other))
  assert.deepEqual([given.state, given.because, given.failures], ['failed', 'There is no such thing.', 1])
})

test('a job is cancelled and taken up again where it stopped; lasting work cannot be; tenants see their own', async () => {
  const house = openHouse()
  house.gateway([
    counting(house, 10, 1000),
    { name: 'lasting', everyMs: 1000, mend: '', step: async () => ({ next: 'rest', says: '' }) },
  ])
  const id = await house.enqueue('count')
  await house.sleep(4500)
  const ended = await house.settle(cancelJob(house.ports, callOf(), id))
  assert.equal(ended.state, 'cancelled')
  await house.sleep(20_000)
  const still = await house.settle(showJob(house.ports, callOf(), id))
  assert.deepEqual([still.state, still.done], ['cancelled', ended.done])
  assert.ok(ended.done > 0 && ended.done < 10)
  await house.settle(retryJob(house.ports, callOf(), id))
  await house.world.runUntil(() => house.rows(`id = '${id}' AND state = 'done'`).length === 1, 60_000)
  await assert.rejects(house.settle(retryJob(house.ports, callOf(), id)), { code: 'job.done' })
  await assert.rejects(house.settle(cancelJob(house.ports, callOf(), id)), { code: 'job.ended' })
  await assert.rejects(house.settle(cancelJob(house.ports, { tenant: '', house: true }, 'lasting')), {
    code: 'job.lasting',
  })
  await assert.rejects(house.settle(showJob(house.ports, callOf('other'), id)), { code: 'job.missing' })
  await house.settle(retryJob(house.ports, { tenant: '', house: true }, 'lasting'))
  assert.deepEqual([...new Set(house.stated)], ['cancelled', 'retried'], 'what was refused is not stated')
  const seenBy = async (asker: { tenant: string; house?: boolean }) =>
    (await house.settle(listJobs(house.ports, asker, { limit: 10 }))).jobs.map((job) => job.id)
  assert.deepEqual(await seenBy({ tenant: 'other' }), [])
  assert.deepEqual(await seenBy(callOf()), [id])
  assert.deepEqual(await seenBy({ tenant: 'other', house: true }), ['work.tidy', 'lasting', id])
})

test('a job that is asked for again while it lives begins anew, and one of its name lives at a time', async () => {
  const house = openHouse()
  const inputs: number[] = []
  house.gateway([counting(house, 5, 1000, (job) => inputs.push(job.done))])
  const first = await house.enqueue('count', 'acme', 'the one')
  await house.sleep(3500)
  const again = await house.enqueue('count', 'acme', 'the one')
  assert.equal(again, first)
  await house.world.runUntil(() => house.rows(`id = '${first}' AND state = 'done'`).length === 1, 60_000)
  assert.ok(inputs.filter((done) => done === 0).length >= 2, inputs.join())
  const third = await house.enqueue('count', 'acme', 'the one')
  assert.notEqual(third, first)
  await house.settle(cancelJob(house.ports, callOf(), third))
  const fourth = await house.enqueue('count', 'acme', 'the one')
  await assert.rejects(house.settle(retryJob(house.ports, callOf(), third)), { code: 'job.doubled' })
  assert.equal((await house.settle(showJob(house.ports, callOf(), fourth))).state === 'done', false)
})

test('jobs that ended are listed in pages and forgotten some day', async () => {
  const house = openHouse()
  house.gateway([counting(house, 1, 10)])
  for (let at = 0; at < 25; at++) await house.enqueue('count')
  await house.world.runUntil(() => house.rows("kind = 'count' AND state = 'done'").length === 25, 60_000)
  const seen: string[] = []
  let before: string | undefined
  do {
    const page = await house.settle(listJobs(house.ports, callOf(), { limit: 10, ...(before && { before }) }))
    seen.push(...page.jobs.map(({ id }) => id))
    before = page.next
  } while (before !== undefined)
  assert.equal(new Set(seen).size, 25)
  assert.deepEqual(seen, [...seen].sort().reverse())
  house.database.look('UPDATE jobs SET ended_at = ended_at - 31 * 86400000 WHERE ended_at IS NOT NULL')
  await house.sleep(700_000)
  assert.equal(house.rows("kind = 'count'").length, 0)
})
