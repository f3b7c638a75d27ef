import * as api from '#api'
import type { Clock, Database } from '#kernel'
import { cancelJob, type Job, type JobKind, listJobs, retryJob, showJob } from '#work'
import { type Handler, handles } from './handler.ts'

const pageJobs = 100

/** What a gateway answers about background work. @param kinds say what to do when a job has failed */
export function jobOperations(ports: { database: Database; clock: Clock }, kinds: readonly JobKind[]): Handler[] {
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
  return [
    handles(api.listJobs, async (call, { after, limit = pageJobs }) => {
      const { jobs, next } = await listJobs(ports, call, { limit, ...(after !== undefined && { before: after }) })
      return { jobs: jobs.map(shown), next: next ?? null }
    }),
    handles(api.getJob, async (call, { job }) => shown(await showJob(ports, call, job))),
    handles(api.cancelJob, async (call, { job }) => shown(await cancelJob(ports, call, job))),
    handles(api.retryJob, async (call, { job }) => shown(await retryJob(ports, call, job))),
  ]
}

function mendOf({ id, state, failures }: Job, mend: string): string {
  if (state === 'failed') return `${mend} Then take it up again: pelago job retry ${id}`
  return failures > 0 ? `It is tried again by itself. ${mend}` : ''
}
