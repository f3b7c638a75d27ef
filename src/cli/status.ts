import { getHealth, getStatus, type Operation, type Output, watchHealth, watchStatus } from '#api'
import { sizeText } from '#kernel'
import { kitLine } from './kit.ts'
import type { CliPorts, Common } from './ports.ts'
import { sinceText } from './table.ts'

type Status = Output<typeof getStatus>
type Health = Output<typeof getHealth>
type WatchedStatus = Output<typeof watchStatus>
type WatchedHealth = Output<typeof watchHealth>

/** `pelago status`: exit code 0 when every promise is kept, 1 when one is not. */
export async function status(ports: CliPorts, { data, json }: Common): Promise<number> {
  const client = ports.client(data)
  const [processes, health] = await Promise.all([client.ask(getStatus, {}), client.ask(getHealth, {})])
  if (json) ports.out(JSON.stringify({ status: processes, health }))
  else for (const line of statusLines(processes, health)) ports.out(line)
  return health.degraded > 0 ||
    health.kit.light === 'red' ||
    processes.processes.some(({ state }) => state !== 'running')
    ? 1
    : 0
}

/** `pelago status --watch`: the state, then what becomes otherwise, until it is stopped. */
export async function watch(ports: CliPorts, { data, json }: Common): Promise<number> {
  const client = ports.client(data)
  const stop = new AbortController()
  const follow = async <O extends { now: number }>(
    operation: Operation<object, O>,
    name: string,
    linesOf: (state: O) => string[],
  ) => {
    let shown: string[] = []
    for await (const state of client.follow(operation, {}, stop.signal)) {
      const lines = linesOf(state)
      const time = new Date(state.now).toISOString().slice(11, 19)
      if (json) ports.out(JSON.stringify({ [name]: state }))
      else for (const line of lines) if (!shown.includes(line)) ports.out(`${time}  ${line}`)
      shown = lines
    }
  }
  try {
    await Promise.all([
      follow(watchHealth, 'health', (health) => [...marginLines(health), ...providerLines(health)]),
      follow(watchStatus, 'status', (status) =>
        status.processes.every(({ state }) => state === 'running')
          ? [`All ${status.processes.length} processes run.`]
          : processLines(status),
      ),
    ])
    return 0
  } finally {
    stop.abort()
  }
}

export function statusLines(status: Status, health: Health): string[] {
  return [
    ...marginLines(health),
    ...providerLines(health),
    ...processLines(status),
    kitLine(health.kit),
    memoryLine(health),
    `Stored: ${health.objects} ${health.objects === 1 ? 'object' : 'objects'}. Endpoint: ${status.s3}. Free disk: ${sizeText(status.disk.freeBytes)}.`,
  ]
}

function marginLines({ margins, degraded, repairing }: WatchedHealth): string[] {
  const worst = margins[0]
  if (!worst) return ['Nothing is stored yet.']
  const segments = margins.reduce((sum, count) => sum + count.segments, 0)
  const lines = [worstLine(worst.margin)]
  if (degraded > 0) {
    lines.push(`Degraded: ${degraded} of ${segments} segments survive fewer losses than their bucket promises.`)
    for (const { margin, segments: count, bytes } of margins) {
      lines.push(
        `  ${margin < 0 ? 'cannot be read now' : `survive ${lossText(margin)} more`}: ${count} segments, ${sizeText(bytes)}`,
      )
    }
    lines.push(
      repairing !== null && repairing > 0
        ? `Repair is under way: ${repairing} segments now.`
        : 'Repair begins by itself as soon as it is due and possible.',
    )
  }
  return lines
}

const lossText = (count: number) => `the loss of ${count} ${count === 1 ? 'provider' : 'providers'}`

function worstLine(margin: number): string {
  if (margin < 0)
    return 'Some objects cannot be read now: too few of their providers answer. Nothing is lost while they come back.'
  if (margin === 0) return 'Every object can be read, but some survive no further loss.'
  return `Every object can be read and survives ${lossText(margin)} more.`
}

function providerLines({ providers, now }: Pick<WatchedHealth, 'providers' | 'now'>): string[] {
  const dark = providers.filter(({ state }) => state === 'dark')
  const full = providers.filter((provider) => provider.full)
  return [
    dark.length === 0
      ? `All ${providers.length} providers answer.`
      : `${dark.length} of ${providers.length} providers do not answer: ${dark.map(({ id, darkSince }) => `${id} (${sinceText(darkSince ?? now, now)})`).join(', ')}.`,
    ...(full.length > 0 ? [`No room left at: ${full.map(({ id }) => id).join(', ')}.`] : []),
  ]
}

function memoryLine({ memory }: Health): string {
  const parts = Object.entries(memory).map(
    ([what, { usedBytes, limitBytes }]) => `${what} ${sizeText(usedBytes)} of ${sizeText(limitBytes)}`,
  )
  return `Memory of the gateway for objects: ${parts.join(', ')}.`
}

function processLines({ processes, now }: WatchedStatus): string[] {
  return processes
    .filter(({ state }) => state !== 'running')
    .map(({ name, state, because, restartAt }) => {
      const again =
        restartAt === null ? '' : ` It is started again in ${Math.max(0, Math.ceil((restartAt - now) / 1000))} s.`
      return `Process ${name} is ${state}: ${because}.${again}`
    })
}
