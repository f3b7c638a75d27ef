import { type Json, type Migration, type Row, type Statement, sharing, sql } from '#kernel'
import { workError } from './errors.ts'
import type { Fence, Job, JobState, Progress } from './job.ts'

type Step<T> = Generator<Statement, T, Row[]>

export const workMigrations: Migration[] = [
  {
    id: 1,
    name: 'leases',
    statements: [
      `CREATE TABLE leases (loop {text} NOT NULL PRIMARY KEY, holder {text} NOT NULL, token {int} NOT NULL, until {int} NOT NULL)`,
    ],
  },
  {
    // The lease is part of the job: whoever may take it up is found with one look at `due_at`.
    id: 2,
    name: 'jobs',
    statements: [
      'DROP TABLE leases',
      `CREATE TABLE jobs (
        id {text} NOT NULL PRIMARY KEY, kind {text} NOT NULL, tenant {text} NOT NULL, about {text} NOT NULL, single {text},
        lane {int} NOT NULL, state {text} NOT NULL, input {text} NOT NULL, cursor {text} NOT NULL, done {int} NOT NULL, total {int},
        says {text} NOT NULL, failures {int} NOT NULL, because {text} NOT NULL, created_at {int} NOT NULL, ran_at {int},
        ended_at {int}, due_at {int} NOT NULL, token {int} NOT NULL)`,
      'CREATE INDEX jobs_by_due ON jobs (lane, due_at)',
      'CREATE INDEX jobs_by_lane ON jobs (lane, tenant, due_at)',
      'CREATE INDEX jobs_by_tenant ON jobs (tenant, id)',
      'CREATE INDEX jobs_by_end ON jobs (lane, ended_at)',
      'CREATE UNIQUE INDEX jobs_single ON jobs (single) WHERE lane > 0',
    ],
  },
]

/** Jobs that are over, that will be, and that never are. */
const over = 0
const ending = 1
const lasting = 2

export type NewJob = {
  /** Out of `newJobId`. */
  id: string
  kind: string
  tenant: string
  about: string
  input: Json
  /** At most one job of this name lives at a time; asked for again, the one that lives begins anew. */
  single?: string
  now: number
}

/**
 * Asks for a job in the transaction of whoever wants it: both are there, or neither.
 * @returns its id, which is another one's when that has the same `single` and lives
 */
export function* enqueueJob({ id, kind, tenant, about, input, single, now }: NewJob): Step<string> {
  const text = JSON.stringify(input)
  if (single !== undefined) {
    // Whoever does it now must not save what he found before: his fence is taken away.
    const [lives] =
      yield sql`UPDATE jobs SET about = ${about}, state = 'queued', input = ${text}, cursor = 'null', done = 0,
      total = NULL, says = '', failures = 0, because = '', due_at = ${now}, token = token + 1
      WHERE single = ${single} AND lane = ${ending} RETURNING id`
    if (lives) return lives.id as string
  }
  yield sql`INSERT INTO jobs (id, kind, tenant, about, single, lane, state, input, cursor, done, says, failures, because,
      created_at, due_at, token)
    VALUES (${id}, ${kind}, ${tenant}, ${about}, ${single ?? null}, ${ending}, 'queued', ${text}, 'null', 0, '', 0, '',
      ${now}, ${now}, 0)`
  return id
}

/** Makes sure that a kind of lasting work has its row. */
export function* ensureLasting(kind: string, now: number): Step<void> {
  yield sql`INSERT INTO jobs (id, kind, tenant, about, lane, state, input, cursor, done, says, failures, because,
      created_at, due_at, token)
    VALUES (${kind}, ${kind}, '', '', ${lasting}, 'queued', 'null', 'null', 0, '', 0, '', ${now}, ${now}, 0)
    ON CONFLICT (id) DO NOTHING`
}

/**
 * The first step of every background write: refuses when somebody else has the job by now. Whoever wants to take it over
 * waits until this transaction has ended, so nothing is written after it was taken.
 * @throws work.fenced
 */
export function* checkFence({ job, token }: Fence): Step<void> {
  const [row] = yield sharing(sql`SELECT token FROM jobs WHERE id = ${job}`)
  if (row?.token !== token) throw workError('work.fenced', { job })
}

/** Lasting work with the time from when on it may be taken up, and the same of the first job that ends. */
export function* nextDue(): Step<{ lasting: { id: string; dueAt: number }[]; endingAt: number | undefined }> {
  const rows = yield sql`SELECT id, due_at FROM jobs WHERE lane = ${lasting}`
  const [first] = yield sql`SELECT due_at FROM jobs WHERE lane = ${ending} ORDER BY due_at LIMIT 1`
  return {
    lasting: rows.map((row) => ({ id: row.id as string, dueAt: row.due_at as number })),
    endingAt: first && (first.due_at as number),
  }
}

/** Jobs of one tenant that are looked at for one of a known kind. */
const lookedAt = 16

/**
 * Tenants behind `after`, then from the first on, each with one job that is due; nothing that grows with the number of
 * jobs. Kinds that this process does not know are left to others.
 * @param most tenants that are looked at
 */
export function* dueTenants(
  after: string,
  kinds: ReadonlySet<string>,
  now: number,
  most: number,
): Step<{ tenant: string; job: string }[]> {
  const due: { tenant: string; job: string }[] = []
  let [place, turned] = [after, false]
  for (let looked = 0; looked < most; looked++) {
    const [next] =
      yield sql`SELECT tenant FROM jobs WHERE lane = ${ending} AND tenant > ${place} ORDER BY tenant LIMIT 1`
    if (next) place = next.tenant as string
    else if (turned) break
    // Behind the last one comes the house itself, whose name is empty, and then the first.
    else [place, turned] = ['', true]
    if (turned && place > after) break
    const jobs = yield sql`SELECT id, kind FROM jobs WHERE lane = ${ending} AND tenant = ${place} AND due_at <= ${now}
      ORDER BY due_at, id LIMIT ${lookedAt}`
    const job = jobs.find(({ kind }) => kinds.has(kind as string))
    if (job) due.push({ tenant: place, job: job.id as string })
  }
  return due
}

/** Takes a job up, if it is still due. @param until when the lease ends */
export function* takeJob(id: string, now: number, until: number): Step<{ job: Job; fence: Fence } | undefined> {
  const [row] = yield sql`UPDATE jobs SET state = 'running', ran_at = ${now}, due_at = ${until}, token = token + 1
    WHERE id = ${id} AND lane > ${over} AND due_at <= ${now} RETURNING *`
  return row && { job: jobOf(row), fence: { job: id, token: row.token as number } }
}

/** @returns false when somebody else has it by now, or it was cancelled */
export function* renewJob({ job, token }: Fence, until: number): Step<boolean> {
  const rows =
    yield sql`UPDATE jobs SET due_at = ${until} WHERE id = ${job} AND token = ${token} AND state = 'running' RETURNING id`
  return rows.length === 1
}

/**
 * Saves what a step came to.
 * @param dueAt when it may be taken up again; undefined keeps it running
 */
export function* saveProgress({ job, token }: Fence, progress: Progress, now: number, dueAt?: number): Step<void> {
  const { next, says } = progress
  const cursor = progress.cursor === undefined ? null : JSON.stringify(progress.cursor)
  const done = progress.done ?? null
  const total = progress.total ?? null
  const ended = next === 'done'
  const state: JobState = ended ? 'done' : dueAt === undefined ? 'running' : next === 'rest' ? 'waiting' : 'queued'
  const rows = yield sql`UPDATE jobs SET cursor = COALESCE(${cursor}, cursor), done = COALESCE(${done}, done),
      total = COALESCE(${total}, total), says = ${says}, failures = 0, because = '', state = ${state},
      lane = CASE WHEN ${ended ? 1 : 0} = 1 THEN ${over} ELSE lane END, ended_at = ${ended ? now : null},
      due_at = COALESCE(${dueAt ?? null}, due_at)
    WHERE id = ${job} AND token = ${token} RETURNING id`
  if (rows.length !== 1) throw workError('work.fenced', { job })
}

/** A step failed: again later, or never. @returns false when somebody else has it by now */
export function* saveFailure(
  { job, token }: Fence,
  failure: { failures: number; because: string; givenUp: boolean },
  now: number,
  dueAt: number,
): Step<boolean> {
  const { failures, because, givenUp } = failure
  const rows = yield sql`UPDATE jobs SET failures = ${failures}, because = ${because}, due_at = ${dueAt},
      state = ${givenUp ? 'failed' : 'waiting'}, ended_at = ${givenUp ? now : null},
      lane = CASE WHEN ${givenUp ? 1 : 0} = 1 THEN ${over} ELSE lane END
    WHERE id = ${job} AND token = ${token} AND state = 'running' RETURNING id`
  return rows.length === 1
}

/** Lets a job go in the middle, so that the next one need not wait for the lease to end. */
export function* releaseJob({ job, token }: Fence, now: number): Step<void> {
  yield sql`UPDATE jobs SET state = 'queued', due_at = ${now} WHERE id = ${job} AND token = ${token} AND state = 'running'`
}

/** A job. @param tenant whose it must be; undefined: anybody's, or the house's. @throws job.missing */
export function* getJob(tenant: string | undefined, id: string): Step<Job> {
  const [row] = yield sql`SELECT * FROM jobs WHERE id = ${id}`
  if (!row || (tenant !== undefined && row.tenant !== tenant)) throw workError('job.missing', { job: id })
  return jobOf(row)
}

/** Greater than every id, which are hex digits or the small letters of a kind. */
const behindAll = '~'

/** A tenant's jobs, the newest first, those behind `before` where given. */
export function* jobsOf(tenant: string, before: string = behindAll, limit: number): Step<Job[]> {
  const rows = yield sql`SELECT * FROM jobs WHERE tenant = ${tenant} AND id < ${before} ORDER BY id DESC LIMIT ${limit}`
  return rows.map(jobOf)
}

/** Everybody's jobs and those of the house, in the same order. */
export function* allJobs(before: string = behindAll, limit: number): Step<Job[]> {
  const rows = yield sql`SELECT * FROM jobs WHERE id < ${before} ORDER BY id DESC LIMIT ${limit}`
  return rows.map(jobOf)
}

/** Ends a job. Whoever does it now cannot commit any more, and learns so soon. */
export function* endJob(id: string, now: number): Step<void> {
  yield sql`UPDATE jobs SET state = 'cancelled', lane = ${over}, ended_at = ${now}, token = token + 1
    WHERE id = ${id} AND lane = ${ending}`
}

/** Takes a job up again where it stopped. @throws job.doubled */
export function* reviveJob(id: string, now: number): Step<void> {
  const [other] = yield sql`SELECT o.id FROM jobs o JOIN jobs j ON o.single = j.single
    WHERE j.id = ${id} AND o.lane = ${ending}`
  if (other) throw workError('job.doubled', { job: id, other: other.id as string })
  yield sql`UPDATE jobs SET state = 'queued', lane = ${ending}, failures = 0, because = '', ended_at = NULL, due_at = ${now},
    token = token + 1 WHERE id = ${id} AND lane = ${over}`
}

/** A job that waits need not any longer. */
export function* hastenJob(id: string, now: number): Step<void> {
  yield sql`UPDATE jobs SET state = 'queued', due_at = ${now} WHERE id = ${id} AND state = 'waiting'`
}

/** Names under which jobs of a kind live at this moment: what they are for is being done. */
export function* liveSingles(kind: string): Step<Set<string>> {
  const rows = yield sql`SELECT single FROM jobs WHERE lane = ${ending} AND kind = ${kind} AND single IS NOT NULL`
  return new Set(rows.map((row) => row.single as string))
}

/** Forgets jobs that ended before `before`, and the oldest of more than `most`; at most `limit`. @returns how many */
export function* forgetJobs(before: number, most: number, limit: number): Step<number> {
  const [edge] = yield sql`SELECT ended_at FROM jobs WHERE lane = ${over} ORDER BY ended_at DESC LIMIT 1 OFFSET ${most}`
  const until = Math.max(before, edge ? (edge.ended_at as number) + 1 : 0)
  const rows = yield sql`DELETE FROM jobs WHERE id IN (
    SELECT id FROM jobs WHERE lane = ${over} AND ended_at < ${until} ORDER BY ended_at LIMIT ${limit}) RETURNING id`
  return rows.length
}

function jobOf(row: Row): Job {
  return {
    id: row.id as string,
    kind: row.kind as string,
    tenant: row.tenant as string,
    about: row.about as string,
    lasting: row.lane === lasting,
    state: row.state as JobState,
    input: JSON.parse(row.input as string) as Json,
    cursor: JSON.parse(row.cursor as string) as Json,
    done: row.done as number,
    ...(row.total !== null && { total: row.total as number }),
    says: row.says as string,
    failures: row.failures as number,
    because: row.because as string,
    createdAt: row.created_at as number,
    ...(row.ran_at !== null && { ranAt: row.ran_at as number }),
    ...(row.ended_at !== null && { endedAt: row.ended_at as number }),
    dueAt: row.due_at as number,
  }
}
