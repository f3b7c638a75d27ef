import type { Clock, Database, Log, Random } from '#kernel'
import { openFair } from './fair.ts'
import type { JobKind } from './job.ts'
import { dueTenants, ensureLasting, nextDue, takeJob } from './job.store.ts'
import { runJob } from './run-job.ts'
import { tidyJobs } from './tidy-jobs.ts'

export type Work = {
  /** Ends all steps and waits for them, within limits. */
  stop(): Promise<void>
}

export type WorkPorts = { database: Database; clock: Clock; log: Log; random: Random }

export type WorkLimits = {
  /** Jobs that end which one process does at the same time, beside the lasting work. */
  atOnce: number
  /** How long a job runs before the next tenant's turn comes, milliseconds; the step under way is finished first. */
  sliceMs: number
  /** A lease outlives a step's usual length by far, and a dead holder's is free again soon; milliseconds. */
  leaseMs: number
  /** How often is looked for new jobs, milliseconds. */
  lookMs: number
}

export const defaultWorkLimits: WorkLimits = { atOnce: 4, sliceMs: 1000, leaseMs: 15_000, lookMs: 1000 }

const stopMs = 5000
/** Tenants that are looked at for the next turn; those behind them come with the next one. */
const tenantsAtOnce = 32

/**
 * Does the jobs of the database that are of these kinds, as one of several processes. Lasting work does not wait for the
 * jobs of tenants: it is what keeps everybody's bytes. The others share the process's time between tenants.
 */
export function startWork(ports: WorkPorts, kinds: readonly JobKind[], limits: WorkLimits = defaultWorkLimits): Work {
  const { database, clock, log } = ports
  const stop = new AbortController()
  const known = new Map([...kinds, tidyJobs(ports)].map((kind) => [kind.name, kind]))
  const endingKinds = new Set(
    [...known.values()].filter(({ everyMs }) => everyMs === undefined).map(({ name }) => name),
  )
  const fair = openFair(limits.sliceMs)
  /** Jobs that this process does now; each promise resolves in any case. */
  const running = new Map<string, Promise<void>>()
  let slots = 0
  let woken = false
  let endPause = () => {}
  const wake = () => {
    woken = true
    endPause()
  }
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      if (woken || stop.signal.aborted) return resolve()
      const cancel = clock.after(ms, resolve)
      endPause = () => {
        cancel()
        resolve()
      }
    })

  /** One statement that looks at its row again when it has waited for it: it needs no protection. @returns whether it was ours to take */
  const begin = async (id: string, sliceMs: number, ended: (ms: number) => void): Promise<boolean> => {
    const now = clock.now()
    const taken = await database.transact(() => takeJob(id, now, now + limits.leaseMs), 'committed')
    const kind = taken && known.get(taken.job.kind)
    if (!kind) return false
    const run = runJob(ports, kind, taken, { leaseMs: limits.leaseMs, sliceMs }, stop.signal).then(() => {
      running.delete(id)
      ended(clock.now() - now)
      wake()
    })
    running.set(id, run)
    return true
  }

  /** @returns when to look again, milliseconds from now */
  const look = async (): Promise<number> => {
    const due = await database.read(nextDue)
    for (const { id, dueAt } of due.lasting) {
      if (dueAt <= clock.now() && known.has(id) && !running.has(id) && !stop.signal.aborted)
        await begin(id, Number.POSITIVE_INFINITY, () => undefined)
    }
    let idle = due.endingAt === undefined || due.endingAt > clock.now()
    while (!idle && slots < limits.atOnce && !stop.signal.aborted) idle = !(await beginNext())
    const times = due.lasting
      .filter(({ id, dueAt }) => !running.has(id) && dueAt > clock.now())
      .map(({ dueAt }) => dueAt)
    if (due.endingAt !== undefined && due.endingAt > clock.now()) times.push(due.endingAt)
    return Math.min(limits.lookMs, ...times.map((at) => at - clock.now()))
  }
  const beginNext = async (): Promise<boolean> => {
    const due = await database.read(() => dueTenants(fair.last(), endingKinds, clock.now(), tenantsAtOnce))
    const mine = due.filter(({ job }) => !running.has(job))
    const tenant = fair.choose(mine.map((one) => one.tenant))
    const next = mine.find((one) => one.tenant === tenant)
    if (tenant === undefined || !next) return false
    slots++
    const free = (ms: number) => {
      slots--
      fair.charge(tenant, ms)
    }
    let begun = false
    try {
      begun = await begin(next.job, limits.sliceMs, free)
    } finally {
      if (!begun) slots--
    }
    // Another process was quicker; there may be more.
    return true
  }

  const ended = (async () => {
    let told = false
    while (!stop.signal.aborted) {
      let ms = limits.lookMs
      try {
        if (!told) {
          await database.transact(function* () {
            const now = clock.now()
            for (const { name, everyMs } of known.values()) if (everyMs !== undefined) yield* ensureLasting(name, now)
          })
          told = true
        }
        woken = false
        ms = await look()
      } catch (error) {
        if (!stop.signal.aborted)
          log('warn', 'work.blind', { reason: error instanceof Error ? error.message : String(error) })
      }
      await pause(ms)
    }
    await Promise.all(running.values())
  })()

  return {
    async stop() {
      stop.abort(new Error('the process stops'))
      wake()
      let cancel = () => {}
      const limit = new Promise<void>((resolve) => {
        cancel = clock.after(stopMs, resolve)
      })
      await Promise.race([ended, limit])
      cancel()
    },
  }
}
