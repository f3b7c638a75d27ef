import { covers, type Options } from './options.ts'
import { type Cell, gib, kib, mib, nameOf } from './plan.ts'
import { byteRate, median, requestRate, type Results, type Round, type Sample, type VariantName } from './results.ts'

/** One target, or one load of which requests failed. `must` missed is a failure, `aim` missed is only said. */
export type Verdict = { state: 'passed' | 'FAILED' | 'skipped'; says: string }

const plain = { state: 'healthy', wan: false, cold: false } as const
const put64: Cell = { verb: 'PUT', size: 64 * mib, atOnce: 2, ...plain }
const get64: Cell = { ...put64, verb: 'GET' }
const put1: Cell = { verb: 'PUT', size: kib, atOnce: 64, ...plain }
const get1: Cell = { ...put1, verb: 'GET' }
const getMib: Cell = { verb: 'GET', size: mib, atOnce: 16, ...plain }
const wanPut1: Cell = { ...put1, atOnce: 1, wan: true }
const wanPut64: Cell = { ...put64, atOnce: 4, wan: true }

/** Share of the processors from which on others disturb. */
const busy = 0.15

/** At least, or at most. */
type Bound = { least: [must: number, aim: number] } | { most: [must: number, aim: number] }

/** All targets that this run covered, and every load in which something failed. */
export function verdictsOf(results: Results, options: Options): Verdict[] {
  const verdicts: Verdict[] = []
  const find = (cell: Cell, variant: VariantName): Sample | undefined =>
    results.samples.find((one) => one.variant === variant && nameOf(one.cell) === nameOf(cell))
  const judge = (number: string, what: string, ratio: number, bound: Bound) => {
    const [must, aim] = 'least' in bound ? bound.least : bound.most
    const reaches = (limit: number) => ('least' in bound ? ratio >= limit : ratio <= limit)
    const good = reaches(must)
    const shown = `${number} ${what}: ${digits(ratio)} (${'least' in bound ? 'at least' : 'at most'} ${must}; aim ${aim}${reaches(aim) ? ', reached' : ''})`
    verdicts.push({ state: good ? 'passed' : 'FAILED', says: shown })
  }
  const skip = (number: string, why: string) => verdicts.push({ state: 'skipped', says: `${number}: ${why}` })
  const ratio = (of: Cell, variant: VariantName, to: Cell, other: VariantName, value: (round: Round) => number) => {
    const [one, two] = [find(of, variant), find(to, other)]
    // Round against round: what the machine did meanwhile met both.
    return one && two ? median(one.rounds.map((round, at) => value(round) / value(two.rounds[at] as Round))) : undefined
  }
  const compare = (
    number: string,
    what: string,
    cell: Cell,
    [one, two]: [VariantName, VariantName],
    value: (round: Round) => number,
    bound: Bound,
  ) => {
    const found = ratio(cell, one, cell, two, value)
    if (found !== undefined) judge(number, what, found, bound)
  }

  const put = find(put64, 'pelago')
  if (put && results.kernel.length > 0) {
    judge('1', 'PUT 64 MiB, 2 at once / kernel line K', median(put.rounds.map(byteRate)) / median(results.kernel), {
      least: [0.45, 0.7],
    })
  }
  compare('2', 'GET 64 MiB, 2 at once / bare node:http', get64, ['pelago', 'bare'], byteRate, { least: [0.2, 0.3] })
  for (const cell of [get64, getMib]) {
    const dead: Cell = { ...cell, state: 'dead' }
    compare('3', `${nameOf(dead)} / healthy`, dead, ['faulty', 'pelago'], byteRate, { least: [0.75, 0.9] })
  }
  for (const atOnce of [1, 16]) {
    const slow: Cell = { ...getMib, atOnce, state: 'slow' }
    const p99 = ratio(slow, 'faulty', slow, 'pelago', (round) => round.p99Ms)
    if (p99 !== undefined) judge('3', `p99 of ${nameOf(slow)} / healthy`, p99, { most: [2, 1.3] })
  }
  compare('4', 'PUT 1 KiB, 64 at once / without packing', put1, ['pelago', 'unpacked'], requestRate, { least: [4, 7] })
  compare('5', 'GET 1 KiB, 64 at once / bare node:http', get1, ['pelago', 'bare'], requestRate, { least: [0.3, 0.5] })
  if (results.codes) {
    const { own, ronomon } = results.codes
    judge('6', 'Reed-Solomon 4+2 / @ronomon/reed-solomon', median(own) / median(ronomon), { least: [1, 1.5] })
  } else if (options.preset !== 'chosen') {
    skip('6 Reed-Solomon 4+2 / @ronomon/reed-solomon', 'add --ronomon; it needs npm and a C++ compiler')
  }
  if (options.peer) {
    const both: [VariantName, VariantName] = ['pelago', 'peer']
    compare('7', 'PUT 64 MiB, 2 at once / peer', put64, both, byteRate, { least: [1.3, 1.8] })
    compare('7', 'GET 64 MiB, 2 at once / peer', get64, both, byteRate, { least: [1.4, 2.2] })
    compare('7', 'PUT 1 KiB, 64 at once / peer', put1, both, requestRate, { least: [15, 40] })
    compare('7', 'GET 1 KiB, 64 at once / peer', get1, both, requestRate, { least: [10, 30] })
    const cpu = ratio(put64, 'pelago', put64, 'peer', (round) => cpuPerGib(round) ?? Number.NaN)
    if (cpu !== undefined && !Number.isNaN(cpu)) judge('8', 'CPU of PUT 64 MiB / peer', cpu, { most: [0.7, 0.45] })
    else if (covers(options, put64))
      skip('8 CPU of PUT 64 MiB / peer', 'no CPU of the peer; see --peer-pids and --peer-run')
  } else if (options.preset !== 'chosen') {
    skip('7 and 8, beside a peer', 'add --peer URL; OSDS=6 bash bench/peers/ceph.sh up brings one')
  }
  judgeWan(results, options, find, judge)
  if (othersShare(results) > busy) {
    const share = (100 * othersShare(results)).toFixed(0)
    skip('quiet', `others used ${share} % of the processors, so speeds are worth little; see --patience`)
  }
  for (const says of results.broken) verdicts.push({ state: 'FAILED', says: `could not be measured: ${says}` })
  return [...verdicts, ...soundness(results.samples)]
}

function judgeWan(
  results: Results,
  { link }: Options,
  find: (cell: Cell, variant: VariantName) => Sample | undefined,
  judge: (number: string, what: string, ratio: number, bound: Bound) => void,
): void {
  const small = find(wanPut1, 'pelago')
  if (small) {
    const slowest = Math.max(
      ...small.rounds.flatMap((round) => usedLinks(round).map((name) => results.roundTrips[name] ?? 0)),
    )
    const what = `WAN: p50 of PUT 1 KiB / round trip to the slowest provider needed (${digits(slowest)} ms)`
    judge('10', what, small.p50Ms / slowest, { most: [1.5, 1.15] })
  }
  const large = find(wanPut64, 'pelago')
  if (large) {
    const share = median(large.rounds.map((round) => linkShareOf(round, link.bytesPerSecond)))
    judge('10', 'WAN: PUT 64 MiB, 4 at once, bytes of shards / what the links used could carry', share, {
      least: [0.6, 0.85],
    })
  }
}

/** Median share of the processors that others used while something was measured. */
export const othersShare = ({ samples }: Pick<Results, 'samples'>) =>
  median(samples.flatMap(({ rounds }) => rounds.map((round) => round.othersShare)))

/** Providers to which more went than questions how they are. */
function usedLinks({ links }: Round): string[] {
  const all = Object.entries(links ?? {})
  const most = Math.max(...all.map(([, bytes]) => bytes))
  return all.filter(([, bytes]) => bytes > most / 10).map(([name]) => name)
}

/** What went over the links of a round, of what they could have carried in its time. */
export function linkShareOf(round: Round, bytesPerSecond: number): number {
  const used = usedLinks(round)
  const moved = used.reduce((sum, name) => sum + (round.links?.[name] ?? 0), 0)
  return moved / (used.length * bytesPerSecond * round.seconds)
}

/** CPU seconds of the servers per GiB of objects; undefined where CPU is not known or nothing came. */
export function cpuPerGib({ cpuMs, bytes }: Round): number | undefined {
  return cpuMs === undefined || bytes === 0 ? undefined : cpuMs / 1000 / (bytes / gib)
}

/** Every load of which something failed; without any, one line that says what was looked at. */
function soundness(samples: readonly Sample[]): Verdict[] {
  const sum = (value: (sample: Sample) => number) => samples.reduce((all, sample) => all + value(sample), 0)
  const requests = ({ rounds }: Sample) => rounds.reduce((all, round) => all + round.requests, 0)
  const failed = ({ rounds }: Sample) => rounds.reduce((all, round) => all + round.failed, 0)
  const bad = samples.filter(({ failures }) => failures.length > 0)
  if (bad.length === 0) {
    const says = `no request of ${sum(requests)} failed, and ${sum(({ compared }) => compared)} objects were read back byte by byte`
    return samples.length === 0 ? [] : [{ state: 'passed', says }]
  }
  return bad.map((sample) => ({
    state: 'FAILED',
    says: `${nameOf(sample.cell)}, ${sample.variant}: ${failed(sample)} of ${requests(sample)} requests failed; ${sample.failures.join('; ')}`,
  }))
}

export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3)
}
