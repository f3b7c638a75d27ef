/** The process that sends: takes a job, prepares and signs all of it, waits for the word, runs it, says how long each request took. */
import { encodePath, signRequest } from '../../src/client/sign-request.ts'
import { type Bodies, openBodies } from './bodies.ts'
import { type Answer, type Lane, openLane, type Prepared } from './lane.ts'
import type { Job, JobResult, Verb } from './job.ts'

let bodies: Bodies | undefined
const lanes = new Map<string, Lane[]>()
const rangeBytes = 64 * 1024
const smallBody = 64 * 1024
const failuresKept = 5

type Step = { verb: Verb; request: Prepared; wanted: number; wrong: () => boolean }

process.on('message', (word: { job: Job } | 'go') => {
  if (word !== 'go') prepared = prepare(word.job)
  else if (prepared) void run(prepared).then((result) => process.send?.(result))
  if (word !== 'go') process.send?.('prepared')
})
process.on('disconnect', () => process.exit(0))
let prepared: { job: Job; steps: Step[]; turns: Uint32Array } | undefined

/** Reads are the same few requests again and again; each write has a key of its own. */
function prepare(job: Job): NonNullable<typeof prepared> {
  bodies ??= openBodies(job.seed)
  const at = Date.now()
  const steps: Step[] = []
  const turns = new Uint32Array(job.count)
  const made = new Map<string, number>()
  for (let turn = 0; turn < job.count; turn++) {
    const verb = job.verb === 'MIXED' ? (mix[turn % mix.length] as Verb) : job.verb
    const id = verb === 'PUT' ? `${verb} ${turn}` : verb === 'LIST' ? verb : `${verb} ${turn % job.keys}`
    let step = made.get(id)
    if (step === undefined) {
      step = steps.length
      steps.push(stepOf(job, bodies, verb, turn, at))
      made.set(id, step)
    }
    turns[turn] = step
  }
  return { job, steps, turns }
}

/** Of 20 requests 9 GET, 6 PUT, 3 HEAD, 2 LIST, spread evenly. */
const mix: Verb[] = [
  ...(['GET', 'PUT', 'GET', 'HEAD', 'GET', 'PUT', 'GET', 'PUT', 'LIST', 'GET'] as const),
  ...(['PUT', 'GET', 'HEAD', 'GET', 'PUT', 'GET', 'HEAD', 'PUT', 'GET', 'LIST'] as const),
]

function stepOf(job: Job, known: Bodies, verb: Verb, turn: number, at: number): Step {
  const { target, size } = job
  const key = verb === 'PUT' ? `${job.writeTo}/${turn}` : `${job.readFrom}/${turn % job.keys}`
  const bucket = `/${job.bucket}`
  const path = verb === 'LIST' ? bucket : `${bucket}/${encodePath(key)}`
  const query = verb === 'LIST' ? `?list-type=2&max-keys=100&prefix=${encodeURIComponent(`${job.readFrom}/`)}` : ''
  const url = new URL(`${path}${query}`, target.endpoint)
  const headers: Record<string, string> = {}
  if (verb === 'PUT') headers['content-length'] = String(size)
  const from = verb === 'RANGE' ? Math.floor((size - rangeBytes) * ((turn * 0.618034) % 1)) : 0
  const wanted = verb === 'RANGE' ? rangeBytes : verb === 'GET' ? size : 0
  if (verb === 'RANGE') headers.range = `bytes=${from}-${from + rangeBytes - 1}`
  const method = verb === 'RANGE' || verb === 'LIST' ? 'GET' : verb
  const signed = target.key
    ? signRequest({ method, url, headers }, target.key, target.region, 'UNSIGNED-PAYLOAD', at)
    : { ...headers, host: url.host }
  const lines = Object.entries(signed).map(([name, value]) => `${name}: ${value}`)
  let head = Buffer.from(`${method} ${url.pathname}${query} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  let body: (() => Iterable<Buffer>) | undefined
  if (verb === 'PUT') {
    if (size > smallBody) body = () => known.pieces(key, size)
    else head = Buffer.concat([head, ...known.pieces(key, size)])
  }
  let good = true
  const look = (offset: number, bytes: Buffer) => {
    if (good && !known.match(key, size, from + offset, bytes)) good = false
  }
  const compared = job.compare && (verb === 'GET' || verb === 'RANGE')
  return {
    verb,
    wanted,
    wrong: () => !good,
    request: { head, bodiless: method === 'HEAD', ...(body && { body }), ...(compared && { look }) },
  }
}

async function run({ job, steps, turns }: NonNullable<typeof prepared>): Promise<JobResult> {
  const { hostname, port } = new URL(job.target.endpoint)
  const open = lanes.get(job.target.endpoint) ?? []
  lanes.set(job.target.endpoint, open)
  while (open.length < job.atOnce) open.push(openLane(hostname, Number(port)))
  const latencies = new Float64Array(job.count)
  const failures: string[] = []
  let [next, failed, bytes] = [0, 0, 0]
  const fail = (verb: Verb, why: string) => {
    failed++
    if (failures.length < failuresKept) failures.push(`${verb}: ${why}`)
  }
  const lane = async (line: Lane) => {
    while (next < job.count) {
      const turn = next++
      const step = steps[turns[turn] as number] as Step
      const began = performance.now()
      try {
        const answer = await line.send(step.request)
        const fault = faultOf(step, answer)
        if (fault !== undefined) fail(step.verb, fault)
        else bytes += step.verb === 'PUT' ? job.size : answer.bytes
      } catch (error) {
        fail(step.verb, error instanceof Error ? error.message : String(error))
      }
      latencies[turn] = performance.now() - began
    }
  }
  const cpu = process.cpuUsage()
  const began = performance.now()
  await Promise.all(open.slice(0, job.atOnce).map(lane))
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  return { ms, latencies, failed, failures, bytes, cpuMs: (user + system) / 1000 }
}

function faultOf(step: Step, { status, bytes, said }: Answer): string | undefined {
  if (status < 200 || status > 299) return `${status} ${said.replace(/\s+/g, ' ')}`
  if (step.wanted !== bytes && step.verb !== 'LIST') return `${bytes} bytes came instead of ${step.wanted}`
  return step.wrong() ? 'other bytes came than were written' : undefined
}
