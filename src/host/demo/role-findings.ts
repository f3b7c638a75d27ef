import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Finding } from '#api'
import type { Clock } from '#kernel'
import type { workMetrics } from '#roles'
import type { databaseMetrics } from '../observe/database-metrics.ts'
import type { Check } from '../observe/self-report.ts'
import { federationAgent } from '../enrol/federation-link.ts'
import { type ApiCallAnswer, callApi } from '../http/api-call.ts'
import type { DemoFederation, ProcessPlan } from './demo-federation.ts'

/** What one role says about itself: its clock, its checks, its numbers. Undefined where it does not answer. */
export type RoleAnswer = {
  plan: ProcessPlan
  /** How far its clock is ahead, milliseconds; told to the second, so within one it means nothing. */
  aheadMs?: number
  ready?: { ready: boolean; checks: Check[] }
  metrics?: string
}

const answerMs = 3000
/** Clocks are told to the second, and asking takes its time too. */
const skewMs = 3000
/** Signed requests are refused beyond this. */
const refusedMs = 4 * 60_000
/** Jobs of storage have a step every few seconds; so long without one, nobody holds their lease. */
const leaseMs = 10 * 60_000
/** As the table of metrics has it. */
const lastStep: keyof typeof workMetrics = 'pelago_work_last_step_seconds'

/** Asks every role how it is. */
export function askRoles(clock: Clock, demo: Asked): Promise<RoleAnswer[]> {
  return Promise.all(demo.processes.map((plan) => askRole(clock, plan, demo)))
}

type Asked = Pick<DemoFederation, 'processes' | 'metricsToken' | 'authorityFile'>

/** Asks a role of this machine, plainly or by TLS as its URL says. */
export function askDemo(
  clock: Clock,
  { authorityFile }: Pick<DemoFederation, 'authorityFile'>,
  asked: { url: string; path: string; headers?: Record<string, string> },
): Promise<ApiCallAnswer> {
  const authority = authorityFile === undefined ? undefined : new X509Certificate(readFileSync(authorityFile))
  const agent = federationAgent({ clock }, asked.url, authority)
  return callApi({ method: 'GET', headers: {}, ...asked, agent }, answerMs).finally(() => agent?.destroy())
}

async function askRole(clock: Clock, plan: ProcessPlan, demo: Asked): Promise<RoleAnswer> {
  // The holder of the root key answers gateways alone.
  if (!URL.parse(plan.about)?.protocol.startsWith('http')) return { plan }
  const { metricsToken: token } = demo
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  try {
    const began = clock.now()
    const ask = (path: string) => askDemo(clock, demo, { url: plan.about, path, headers })
    const health = await ask('/readyz')
    const now = (began + clock.now()) / 2
    const told = Date.parse(health.headers.date ?? '')
    const ready = JSON.parse(health.body) as NonNullable<RoleAnswer['ready']>
    const numbers = await ask('/metrics')
    // What a clock tells was so half a second ago, on the average.
    const ahead = Number.isNaN(told) ? {} : { aheadMs: told + 500 - now }
    return { plan, ready, ...ahead, ...(numbers.status === 200 && { metrics: numbers.body }) }
  } catch {
    // That it does not answer is a finding of its own, made where processes and endpoints are looked at.
    return { plan }
  }
}

/** What to do about a check of a role that is not good. */
const mends: Record<string, string> = {
  index:
    'pelago status shows what is degraded, and bringing providers back mends it; if the index does not answer, see the log of the gateway and the disk or PostgreSQL under it.',
  directory: 'Start the federation and let the gateway reach it; its log says directory.stale with the reason.',
  's3-certificate':
    'Put a new certificate into its files, or look at pelago job show endpoint.certificate and, when that is mended, pelago job retry endpoint.certificate. See docs/operate/certificates.md.',
  providers: 'pelago provider list shows who does not run; pelago provider start NAME.',
  disk: 'Free some space on the disk of that provider, or mount it again.',
  identity:
    'Let the role reach the federation; its log says certificate.unrenewed with the reason (docs/operate/tls.md).',
  quota: 'Raise the quota, add a provider, or delete and wait for the trash (14 days).',
}

const good = (step: string, says: string): Finding => ({ step, state: 'good', says, mend: '' })

/** Findings out of what the roles said. @param now of the clock that theirs are held against */
export function roleFindings(answers: readonly RoleAnswer[], now: number): Finding[] {
  return [clocks(answers), ...answers.flatMap(checksOf), ...databases(answers), leases(answers, now)]
}

function clocks(answers: readonly RoleAnswer[]): Finding {
  const told = answers.filter(({ aheadMs }) => aheadMs !== undefined)
  const far = (answer: RoleAnswer) => Math.abs(answer.aheadMs ?? 0)
  const worst = told.reduce<RoleAnswer | undefined>((a, b) => (a && far(a) >= far(b) ? a : b), undefined)
  if (!worst) return { step: 'clocks', state: 'skipped', says: 'no role told its time', mend: '' }
  if (far(worst) <= skewMs) return good('clocks', `${told.length} roles tell the same time as this machine`)
  const way = (worst.aheadMs ?? 0) > 0 ? 'ahead' : 'behind'
  return {
    step: 'clocks',
    state: far(worst) > refusedMs ? 'bad' : 'warning',
    says: `the clock of ${worst.plan.name} is ${Math.round(far(worst) / 1000)} s ${way}`,
    mend: 'Let both machines set their clocks by NTP: signed requests are refused when clocks differ by five minutes.',
  }
}

function checksOf({ plan, ready }: RoleAnswer): Finding[] {
  return (ready?.checks ?? []).flatMap(({ name, state, says }) => {
    const step = `${plan.name} ${name}`
    // Seven times that a disk is well tells nobody anything.
    if (state === 'good') return plan.role === 'gateway' ? [good(step, says)] : []
    return [{ step, state, says, mend: mends[name] ?? `Its log is log/${plan.name}.log.` }]
  })
}

/** Values of a metric, by the text of its labels. */
export function valuesOf(metrics: string, name: string): { labels: string; value: number }[] {
  return metrics.split('\n').flatMap((line) => {
    const [, found, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    return found === name ? [{ labels, value: Number(value) }] : []
  })
}

const slowSeconds = 0.1

function databases(answers: readonly RoleAnswer[]): Finding[] {
  return answers.flatMap(({ plan, metrics }) => {
    if (metrics === undefined || plan.role !== 'gateway') return []
    const step = `${plan.name} database`
    const sum = (
      name:
        | keyof typeof databaseMetrics
        | `${keyof typeof databaseMetrics}_sum`
        | `${keyof typeof databaseMetrics}_count`,
    ) => valuesOf(metrics, name).reduce((total, { value }) => total + value, 0)
    const failed = sum('pelago_database_failures_total')
    const commits = sum('pelago_database_commit_seconds_count')
    const mean = commits === 0 ? 0 : sum('pelago_database_commit_seconds_sum') / commits
    const ms = (mean * 1000).toFixed(1)
    if (failed > 0) {
      const says = `${failed} commits failed or have an unknown outcome since it started`
      const mend = 'Look at the disk or PostgreSQL of the index: room first, then errors of the system.'
      return [{ step, state: 'warning', says, mend }]
    }
    if (mean > slowSeconds) {
      const mend = 'Move the index to a quicker disk, or leave that disk to it alone.'
      return [{ step, state: 'warning', says: `a commit takes ${ms} ms on the average`, mend }]
    }
    return [good(step, `${commits} commits since it started, ${ms} ms each`)]
  })
}

/** Background work is done by whichever gateway holds its lease; its last step is told by that one. */
function leases(answers: readonly RoleAnswer[], now: number): Finding {
  const last = new Map<string, number>()
  const texts = answers.flatMap(({ metrics }) => metrics ?? [])
  for (const { labels, value } of texts.flatMap((text) => valuesOf(text, lastStep))) {
    const kind = /kind="([^"]*)"/.exec(labels)?.[1] ?? ''
    last.set(kind, Math.max(last.get(kind) ?? 0, value * 1000))
  }
  const step = 'leases'
  if (last.size === 0) return { step, state: 'skipped', says: 'no gateway has done background work yet', mend: '' }
  const late = [...last].filter(([kind, at]) => kind.startsWith('storage.') && now - at > leaseMs)
  if (late.length === 0) return good(step, `${last.size} kinds of background work go on`)
  const says = late.map(([kind, at]) => `${kind} had its last step ${Math.round((now - at) / 60_000)} minutes ago`)
  const mend = 'Warnings in the logs of the gateways say why; restart the gateway that holds the lease.'
  return { step, state: 'bad', says: says.join('; '), mend }
}
