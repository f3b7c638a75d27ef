import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pelago } from '../test/acceptance/start-pelago.ts'
import { cpuOfAll } from './s3/processes.ts'

/** What gateways and their surroundings have done since they started; two of these make a difference. */
export type Counts = {
  transactions: number
  /** Transactions that were run again, because another one was quicker. */
  retries: number
  /** Seconds from the beginning of a transaction to the end of its commit, all attempts and pauses among them. */
  commitSeconds: number
  packs: number
  packed: number
  /** CPU, milliseconds. */
  gateways: number
  providers: number
  postgres: number
}

const fieldOf: Record<string, keyof Counts> = {
  'pelago_database_transactions_total{database="index"}': 'transactions',
  'pelago_database_retries_total{database="index"}': 'retries',
  'pelago_database_commit_seconds_sum{database="index"}': 'commitSeconds',
  pelago_storage_pack_objects_count: 'packs',
  pelago_storage_pack_objects_sum: 'packed',
}

/** Reads the counts of a running federation: `/metrics` of its gateways, and the CPU that the kernel counts. */
export type Counter = { read(): Promise<Counts> }

/** @param postgres the server's processes; connections come and go, so they are asked each time */
export async function openCounter(pelago: Pelago, postgres: () => number[]): Promise<Counter> {
  const { out } = await pelago.cli('status', '--json')
  const { status } = JSON.parse(out) as { status: { processes: { name: string; role: string; pid: number | null }[] } }
  const pidsOf = (role: string) =>
    status.processes.flatMap((process) => (process.role === role && process.pid !== null ? [process.pid] : []))
  const gateways = status.processes.filter(({ role }) => role === 'gateway').map(({ name }) => name)
  const urls = gateways.map((name) => {
    const config = JSON.parse(readFileSync(join(pelago.data, name, 'config.json'), 'utf8')) as {
      api: { host: string; port: number }
    }
    return `http://${config.api.host}:${config.api.port}/metrics`
  })
  return {
    async read() {
      const counts: Counts = {
        ...{ transactions: 0, retries: 0, commitSeconds: 0, packs: 0, packed: 0 },
        gateways: cpuOfAll(pidsOf('gateway')) ?? 0,
        providers: cpuOfAll(pidsOf('provider')) ?? 0,
        postgres: cpuOfAll(postgres()) ?? 0,
      }
      for (const url of urls) {
        for (const line of (await (await fetch(url)).text()).split('\n')) {
          const at = line.lastIndexOf(' ')
          const field = fieldOf[line.slice(0, at)]
          if (field) counts[field] += Number(line.slice(at + 1))
        }
      }
      return counts
    },
  }
}

/** What was added in between. */
export function between(before: Counts, after: Counts): Counts {
  const names = Object.keys(before) as (keyof Counts)[]
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as Counts
}

export function sumOf(all: readonly Counts[]): Counts {
  const [first, ...rest] = all
  if (!first) throw new RangeError('nothing was counted')
  return rest.reduce((sum, one) => {
    const names = Object.keys(sum) as (keyof Counts)[]
    return Object.fromEntries(names.map((name) => [name, sum[name] + one[name]])) as Counts
  }, first)
}
