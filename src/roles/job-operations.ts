import * as api from '#api'
import { appendFact, type Journal } from '#journal'
import type { Clock, Database } from '#kernel'
import { cancelJob, type Job, type JobAct, type JobAsker, type JobKind, listJobs, retryJob, showJob } from '#work'
import { type ApiCall, type Handler, handles, streams } from './handler.ts'
import { openWatches } from './watch.ts'

const pageJobs = 100
/** How often jobs are looked at while somebody watches, milliseconds. */
const watchMs = 1000

type Ports = { database: Database; clock: Clock; journal: Journal }

/** What a gateway answers about background work. @param kinds say what to do when a job has failed */
export function jobOperations(ports: Ports, kinds: readonly JobKind[]): Handler[] {
  const mends = new Map(kinds.map(({ name, mend }) => [name, mend]))
  const shown = (job: Job): api.ApiJob => ({
    id: job.id,
    kind: job.kind,
    about: job.about,
    tenant: job.tenant,
    lasting: job.lasting,
    state: job.state,
    done: job.done,
    total: job.total ?? null,
    says: job.says,
    failures: job.failures,
    because: job.because,
    mend: mendOf(job, mends.get(job.kind) ?? ''),
    createdAt: job.createdAt,
    ranAt: job.ranAt ?? null,
    nextAt: job.state === 'waiting' || job.state === 'queued' ? job.dueAt : null,
    endedAt: job.endedAt ?? null,
  })
  const page = async (asker: JobAsker, limit: number, before?: string) => {
    const { jobs, next } = await listJobs(ports, asker, { limit, before })
    return { jobs: jobs.map(shown), next: next ?? null }
  }
  // Everybody of a tenant sees the same, and whoever runs the gateway sees all.
  const watches = openWatches(
    ports.clock,
    watchMs,
    async (asker: JobAsker) => ({ now: ports.clock.now(), jobs: (await page(asker, pageJobs)).jobs }),
    ({ jobs }) => jobs,
  )
  return [
    handles(api.listJobs, (call, { after, limit = pageJobs }) => page(call, limit, after)),
    streams(api.watchJobs, ({ tenant, house, signal }, _, last) => watches.follow({ tenant, house }, signal, last)),
    handles(api.getJob, async (call, { job }) => shown(await showJob(ports, call, job))),
    handles(api.cancelJob, async (call, { job }) => shown(await cancelJob(stating(ports, call), call, job))),
    handles(api.retryJob, async (call, { job }) => shown(await retryJob(stating(ports, call), call, job))),
  ]
}

/** Acts are written down for the tenant whose job it is, whoever acts. */
function stating({ database, clock, journal }: Ports, { actor }: ApiCall) {
  return {
    ...{ database, clock },
    state(act: JobAct, { id, kind, tenant, lasting }: Job) {
      const common = { actor, tenant, at: clock.now() }
      if (lasting) return appendFact(journal, { ...common, topic: 'job.hastened', about: id, facts: {} })
      return appendFact(journal, { ...common, topic: `job.${act}` as const, about: id, facts: { kind } })
    },
  }
}

function mendOf({ id, state, failures }: Job, mend: string): string {
  if (state === 'failed') return `${mend} Then take it up again: pelago job retry ${id}`
  return failures > 0 ? `It is tried again by itself. ${mend}` : ''
}
