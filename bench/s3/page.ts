import { cpus, totalmem } from 'node:os'
import type { Options } from './options.ts'
import { countsRequests } from './measure.ts'
import { type Cell, mib, nameOf } from './plan.ts'
import { byteRate, median, requestRate, type Results, type Round, type Sample } from './results.ts'
import { cpuPerGib, digits, linkShareOf, othersShare, type Verdict } from './verdicts.ts'

/** Everything that was measured, as a page of Markdown. */
export function pageOf(results: Results, options: Options, verdicts: Verdict[], command: string): string[] {
  const processor = cpus()[0]?.model ?? 'unknown'
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  return [
    `# S3, ${results.at.slice(0, 10)}`,
    '',
    `Written by \`${command}\` on ${cpus().length} x ${processor}, ${memory} GiB, ${process.platform}, Node ${process.versions.node}.`,
    'All processes share these processors: seven providers, gateway, load process, and whatever stands beside them. Medians over',
    `${options.rounds} rounds in which all variants take turns (targets compare round with round); least to most in brackets; MB is 10^6 bytes; p50 and p99 over the requests`,
    'of all rounds. CPU is that of the servers alone, per GiB or per request; the load process and relays are not in it.',
    `Others used ${(100 * othersShare(results)).toFixed(0)} % of the processors meanwhile (median over rounds).`,
    '',
    '- `pelago`: this build. `faulty`: the same with the fault of its line. `unpacked`: the same, every object written for itself.',
    '- `bare`: node:http in one process, which stores nothing and gives bytes out of memory; the same client.',
    ...(options.peer ? [`- \`peer\`: ${options.peer.name}.`] : []),
    '',
    '## Targets',
    '',
    ...verdicts.map(({ state, says }) => `- ${state}: ${says}`),
    '',
    '## Loads',
    '',
    ...tableOf(results.samples),
    '',
    ...besides(results, options),
  ]
}

/** One row per variant of a load, the build itself first. */
export function tableOf(samples: readonly Sample[]): string[] {
  const rows = samples.map((sample) => {
    const first = samples.find(({ cell }) => nameOf(cell) === nameOf(sample.cell)) as Sample
    const value = (one: Sample) => median(one.rounds.map(countsRequests(one.cell) ? requestRate : byteRate))
    const ratio = sample === first ? '' : digits(value(first) / value(sample))
    return `| ${[
      sample === first ? nameOf(sample.cell) : '',
      sample.variant,
      rateOf(sample.cell, sample.rounds),
      ratio,
      digits(sample.p50Ms),
      digits(sample.p99Ms),
      cpuOf(sample),
      `${Math.round(100 * median(sample.rounds.map((round) => round.loadCpuMs / (round.seconds * 1000))))} %`,
    ].join(' | ')} |`
  })
  return [
    '| load | variant | rate | pelago / it | p50 ms | p99 ms | CPU | load process, of one processor |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ]
}

function rateOf(cell: Cell, rounds: readonly Round[]): string {
  const [values, unit] = countsRequests(cell)
    ? [rounds.map(requestRate), 'requests/s']
    : [rounds.map((round) => byteRate(round) / 1e6), 'MB/s']
  return `${digits(median(values))} ${unit} (${digits(Math.min(...values))} to ${digits(Math.max(...values))})`
}

function cpuOf({ cell, rounds }: Sample): string {
  if (cell.size >= mib && cell.verb !== 'HEAD' && cell.verb !== 'LIST') {
    const values = rounds.map(cpuPerGib).filter((value) => value !== undefined)
    return values.length === 0 ? '' : `${digits(median(values))} s/GiB`
  }
  const values = rounds.flatMap(({ cpuMs, requests }) => (cpuMs === undefined ? [] : [cpuMs / requests]))
  return values.length === 0 ? '' : `${digits(median(values))} ms`
}

function besides({ kernel, codes, memory, roundTrips, notes, samples }: Results, { link }: Options): string[] {
  const lines: string[] = ['## Besides', '']
  if (kernel.length > 0) {
    lines.push(
      `- Kernel line K: ${digits(median(kernel) / 1e6)} MB/s of plaintext per CPU second of one thread: MD5, AES-256-GCM in cells of 128 KiB, Reed-Solomon 4+2, GMAC of all six stored cells, by code of the bench.`,
    )
  }
  if (codes) {
    const shown = (speeds: number[]) => `${digits(median(speeds) / 1e9)} GB/s`
    lines.push(
      `- Reed-Solomon 4+2, shards of 1 MiB, data per CPU second: ${shown(codes.own)}; @ronomon/reed-solomon ${shown(codes.ronomon)}.`,
    )
  }
  for (const { kind, bytes } of memory) lines.push(`- Most memory of a process, ${kind}: ${digits(bytes / mib)} MiB.`)
  if (Object.keys(roundTrips).length > 0) {
    const measured = Object.entries(roundTrips).map(([name, ms]) => `${name} ${digits(ms)}`)
    lines.push(
      `- WAN: round trips of ${link.leastMs} to ${link.mostMs} ms and ${digits((link.bytesPerSecond * 8) / 1e9)} Gbit/s each way per provider; measured with one small question: ${measured.join(', ')} ms.`,
    )
    for (const { cell, rounds } of samples.filter(({ cell }) => cell.wan && cell.size >= mib && cell.verb === 'PUT')) {
      const share = median(rounds.map((round) => linkShareOf(round, link.bytesPerSecond)))
      const relay = median(rounds.map((round) => (round.relayCpuMs ?? 0) / (round.seconds * 1000)))
      lines.push(
        `- ${nameOf(cell)}: ${digits(share)} of the links used; the relay itself took ${digits(relay)} processors.`,
      )
    }
  }
  return [...lines, ...notes.map((note) => `- ${note}`), '']
}

/** The median alone, for a line that says how far it is. */
export function shortRate(cell: Cell, rounds: readonly Round[]): string {
  return countsRequests(cell)
    ? `${digits(median(rounds.map(requestRate)))}/s`
    : `${digits(median(rounds.map(byteRate)) / 1e6)} MB/s`
}
