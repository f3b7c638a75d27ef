import { type ApiJob, cancelJob, getJob, listJobs, retryJob, watchJobs } from '#api'
import type { CliPorts, Common } from './ports.ts'
import { sinceText, table } from './table.ts'

/** `pelago jobs`: what is done in the background, and how far it is. Exit code 1 when a job has failed. */
export async function jobs(ports: CliPorts, { data, json, all }: Common & { all: boolean }): Promise<number> {
  const client = ports.client(data)
  const found: ApiJob[] = []
  let after: string | undefined
  do {
    const page = await client.ask(listJobs, { ...(after !== undefined && { after }), limit: 1000 })
    found.push(...page.jobs)
    after = page.next ?? undefined
  } while (all && after !== undefined)
  if (json) ports.out(JSON.stringify({ jobs: found, more: after !== undefined }))
  else {
    const now = ports.now()
    const rows = found.map((job) => [
      job.lasting ? '' : job.id,
      nameOf(job),
      stateText(job, now),
      job.because || job.says,
    ])
    for (const line of table([['JOB', 'WHAT', 'STATE', 'SAYS'], ...rows])) ports.out(line)
    if (after !== undefined) ports.out('There are older ones; show them with --all.')
  }
  return found.some(({ state }) => state === 'failed') ? 1 : 0
}

/** `pelago jobs --watch`: what is at work, then what becomes otherwise, until it is stopped. */
export async function watch(ports: CliPorts, { data, json }: Common): Promise<number> {
  const stop = new AbortController()
  let shown = new Map<string, string>()
  try {
    for await (const state of ports.client(data).follow(watchJobs, {}, stop.signal)) {
      if (json) ports.out(JSON.stringify(state))
      const lines = new Map(state.jobs.map((job) => [job.id, watchedLine(job)]))
      const time = new Date(state.now).toISOString().slice(11, 19)
      // The oldest first, as they would have come.
      for (const [id, line] of [...lines].toReversed())
        if (!json && shown.get(id) !== line) ports.out(`${time}  ${line}`)
      shown = lines
    }
    return 0
  } finally {
    stop.abort()
  }
}

/** What stays the same while a job only waits. */
function watchedLine(job: ApiJob): string {
  const state = job.lasting && job.failures === 0 ? '' : ` ${job.state}${partText(job)}`
  return `${nameOf(job)}${state}${job.because || job.says ? `: ${job.because || job.says}` : ''}`
}

export async function show(ports: CliPorts, job: string, { data, json }: Common): Promise<number> {
  const found = await ports.client(data).ask(getJob, { job })
  if (json) ports.out(JSON.stringify(found))
  else for (const line of jobLines(found, ports.now())) ports.out(line)
  return found.state === 'failed' ? 1 : 0
}

export async function cancel(ports: CliPorts, job: string, { data, json }: Common): Promise<number> {
  const found = await ports.client(data).ask(cancelJob, { job })
  ports.out(
    json
      ? JSON.stringify(found)
      : `${nameOf(found)} is cancelled. What it has done stays done; it goes on from there with: pelago job retry ${job}`,
  )
  return 0
}

export async function retry(ports: CliPorts, job: string, { data, json }: Common): Promise<number> {
  const found = await ports.client(data).ask(retryJob, { job })
  ports.out(json ? JSON.stringify(found) : `${nameOf(found)} is taken up again.`)
  return 0
}

const nameOf = ({ kind, about }: ApiJob) => (about === '' ? kind : `${kind} ${about}`)

const partText = ({ done, total, lasting }: ApiJob) =>
  total === null || total === 0 || lasting ? '' : ` ${Math.floor((100 * done) / total)} %`

function stateText(job: ApiJob, now: number): string {
  const { state, lasting, failures, nextAt, endedAt } = job
  const part = partText(job)
  if (failures > 0 && state === 'waiting')
    return `failed ${failures} times, again in ${Math.max(0, Math.ceil(((nextAt ?? now) - now) / 1000))} s`
  if (lasting) return state === 'running' ? 'running' : 'resting'
  return endedAt === null ? `${state}${part}` : `${state} ${sinceText(endedAt, now)}`
}

function jobLines(job: ApiJob, now: number): string[] {
  const when = (at: number | null) => (at === null ? 'never' : new Date(at).toISOString().slice(0, 19))
  return [
    `${nameOf(job)}: ${stateText(job, now)}`,
    ...(job.says === '' ? [] : [job.says]),
    ...(job.because === '' ? [] : [`Failed: ${job.because}`]),
    ...(job.mend === '' ? [] : [job.mend]),
    `Asked for ${when(job.createdAt)}, last taken up ${when(job.ranAt)}${job.nextAt === null ? '' : `, next ${when(job.nextAt)}`}${job.endedAt === null ? '' : `, ended ${when(job.endedAt)}`}.`,
  ]
}
