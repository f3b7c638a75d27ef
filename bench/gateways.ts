import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { type Pelago, startPelago } from '../test/acceptance/start-pelago.ts'
import { findPostgres, startPostgres } from '../test/tools/postgres.ts'
import { between, type Counter, type Counts, openCounter, sumOf } from './gateways-counts.ts'
import { type Load, openLoad } from './s3/load.ts'

const help = `npm run bench -- gateways [--rounds N] [--objects N] [--at-once N] [--size BYTES] [--record]
PUT throughput with 1, 2 and 4 gateways over one PostgreSQL, beside one gateway over SQLite, taking turns.`
const bucket = 'bench'
const gatewaysMost = 4

type Variant = {
  name: string
  pelago: Pelago
  counter: Counter
  gateways: number
  rates: number[]
  counts: Counts[]
  failed: number
}

/** `npm run bench -- gateways`. @returns the exit code */
export async function benchGateways(words: string[]): Promise<number> {
  const { values } = parseArgs({
    args: words,
    options: {
      rounds: { type: 'string', default: '5' },
      objects: { type: 'string', default: '3000' },
      'at-once': { type: 'string', default: '64' },
      size: { type: 'string', default: '1024' },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(help)
    return 0
  }
  if (findPostgres() === undefined) {
    console.log('SKIPPED: PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql')
    console.log('0 passed, 0 failed')
    return 0
  }
  const [rounds, objects, atOnce, size] = [values.rounds, values.objects, values['at-once'], values.size].map(Number)
  const plan = { rounds: rounds as number, objects: objects as number, atOnce: atOnce as number, size: size as number }
  const closers: (() => unknown)[] = []
  try {
    const variants = await startAll(closers)
    const loads = Array.from({ length: gatewaysMost }, openLoad)
    closers.push(() => loads.forEach((load) => load.close()))
    for (let round = 0; round <= plan.rounds; round++) {
      for (const variant of variants) {
        const before = await variant.counter.read()
        const { rate, failed } = await putAll(variant, loads, plan, round)
        variant.failed += failed
        // The first round warms up.
        if (round === 0) continue
        variant.rates.push(rate)
        variant.counts.push(between(before, await variant.counter.read()))
      }
    }
    const lines = [...tableOf(variants), '', ...countsOf(variants, plan)]
    for (const line of lines) console.log(line)
    if (values.record) record(lines, plan)
    const failed = variants.reduce((sum, variant) => sum + variant.failed, 0)
    const asked = variants.length * (plan.rounds + 1) * plan.objects
    console.log(`${failed === 0 ? 'passed' : 'FAILED'}: ${failed} of ${asked} requests failed`)
    console.log(`${failed === 0 ? 1 : 0} passed, ${failed === 0 ? 0 : 1} failed`)
    return failed === 0 ? 0 : 1
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

async function startAll(closers: (() => unknown)[]): Promise<Variant[]> {
  const server = await startPostgres()
  closers.push(() => server.stop())
  const words = ['--gateways', String(gatewaysMost), '--separate-ports', '--postgres', server.url]
  const shared = await startPelago({ words })
  closers.push(() => shared.close())
  const alone = await startPelago()
  closers.push(() => alone.close())
  for (const pelago of [shared, alone]) {
    const client = new S3Client({
      ...{ endpoint: pelago.s3, region: pelago.region, forcePathStyle: true },
      credentials: { accessKeyId: pelago.accessKeyId, secretAccessKey: pelago.secretAccessKey },
    })
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    client.destroy()
  }
  const variant = (name: string, pelago: Pelago, counter: Counter, gateways: number): Variant => ({
    ...{ name, pelago, counter, gateways, rates: [], counts: [], failed: 0 },
  })
  const [one, several] = [await openCounter(alone, () => []), await openCounter(shared, server.pids)]
  return [
    variant('SQLite, 1 gateway', alone, one, 1),
    ...[1, 2, gatewaysMost].map((count) =>
      variant(`PostgreSQL, ${count} ${count === 1 ? 'gateway' : 'gateways'}`, shared, several, count),
    ),
  ]
}

type Plan = { rounds: number; objects: number; atOnce: number; size: number }

/** One load process per gateway; together they ask as much at once as one alone. */
async function putAll({ name, pelago, gateways }: Variant, loads: readonly Load[], plan: Plan, round: number) {
  const key = { id: pelago.accessKeyId, secret: pelago.secretAccessKey }
  const results = await Promise.all(
    pelago.endpoints.slice(0, gateways).map((endpoint, at) =>
      (loads[at] as Load).run({
        ...{ target: { name, endpoint, key, region: pelago.region }, bucket, seed: randomBytes(32).toString('hex') },
        ...{ verb: 'PUT', size: plan.size, count: Math.ceil(plan.objects / gateways) },
        ...{ atOnce: Math.ceil(plan.atOnce / gateways), readFrom: 'none', keys: 1, compare: false },
        writeTo: `${gateways}/${round}/${at}`,
      }),
    ),
  )
  const slowest = Math.max(...results.map(({ ms }) => ms))
  for (const { failures } of results) for (const failure of failures) console.error(`${name}: ${failure}`)
  return {
    rate: (1000 * results.reduce((sum, { latencies }) => sum + latencies.length, 0)) / slowest,
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
  }
}

function tableOf(variants: readonly Variant[]): string[] {
  const median = (rates: readonly number[]) => [...rates].sort((a, b) => a - b)[rates.length >> 1] ?? 0
  const one = median(variants.find(({ name }) => name === 'PostgreSQL, 1 gateway')?.rates ?? [])
  return [
    '| index, gateways | PUT per second | least to most | beside one on PostgreSQL |',
    '|---|---:|---:|---:|',
    ...variants.map(({ name, rates }) => {
      const spread = `${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}`
      return `| ${name} | ${median(rates).toFixed(0)} | ${spread} | ${(median(rates) / one).toFixed(2)} |`
    }),
  ]
}

/** Where the time goes: transactions and what they met, and the processors' time per object. */
function countsOf(variants: readonly Variant[], { objects }: Plan): string[] {
  return [
    '| index, gateways | objects per pack | transactions | run again | commit, mean ms | gateways, providers, PostgreSQL: CPU, us per object |',
    '|---|---:|---:|---:|---:|---:|',
    ...variants.map(({ name, counts }) => {
      const sum = sumOf(counts)
      const us = (ms: number) => ((1000 * ms) / (objects * counts.length)).toFixed(0)
      const cells = [
        (sum.packed / sum.packs).toFixed(1),
        sum.transactions.toFixed(0),
        `${((100 * sum.retries) / sum.transactions).toFixed(1)} %`,
        ((1000 * sum.commitSeconds) / sum.transactions).toFixed(1),
        [sum.gateways, sum.providers, sum.postgres].map(us).join(', '),
      ]
      return `| ${name} | ${cells.join(' | ')} |`
    }),
  ]
}

function record(lines: readonly string[], plan: Plan): void {
  const day = new Date().toISOString().slice(0, 10)
  const folder = join(import.meta.dirname, '..', 'docs', 'measured')
  const page = [
    `# Gateways over one PostgreSQL, ${day}`,
    '',
    `Written by \`npm run bench -- gateways --rounds ${plan.rounds} --objects ${plan.objects} --at-once ${plan.atOnce} --size ${plan.size}\``,
    `on ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}. PostgreSQL, all gateways, seven providers and the load share these processors, so`,
    'more gateways cannot be more than the processors have left; what is looked for is that they do not get in each other’s way.',
    'Each variant is asked for the same number of objects, as many at once in all; medians over rounds that take turns.',
    '',
    ...lines,
  ]
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${day}-gateways.md`), `${page.join('\n')}\n`)
}
