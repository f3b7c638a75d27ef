/**
 * `npm run torture -- --minutes N`: real processes, four gateways over one PostgreSQL, under load; gateways, providers and the
 * database are killed and stopped, connections cut and providers filled as a seed says. What was acknowledged must be there in the end, and nothing else.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as s3 from '@aws-sdk/client-s3'
import { findPostgres } from '../tools/postgres.ts'
import { startChaos } from './chaos.ts'
import { type Check, comparedWithDisks, healed, readBack } from './checks.ts'
import { openDice, pause } from './dice.ts'
import { bucket, type Load, startLoad } from './load.ts'
import { openWorld, type World } from './world.ts'

const help = `npm run torture -- [--minutes N] [--seed N] [--workers N] [--gateways N] [--record] [--verbose]`
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    workers: { type: 'string', default: '10' },
    gateways: { type: 'string', default: '4' },
    record: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const shown = 5
let closing: Promise<void> | undefined

if (values.help) console.log(help)
else if (findPostgres() === undefined) {
  console.log('SKIPPED: PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql')
  console.log('0 passed, 0 failed')
} else process.exitCode = await torture()

async function torture(): Promise<number> {
  const began = performance.now()
  const [minutes, seed, workers, gateways] = [values.minutes, values.seed, values.workers, values.gateways].map(Number)
  if (![minutes, seed, workers, gateways].every((number) => number !== undefined && number >= 0)) {
    console.error(help)
    return 2
  }
  const say = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}`)
  say(`seed ${seed}: ${minutes} minutes, ${workers} workers, ${gateways} gateways`)
  const world = await openWorld(gateways as number)
  let stopped = false
  // Whoever stops it early leaves nothing behind.
  const early = () => void close(world).then(() => process.exit(130))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, early)
  try {
    await world.client(0).send(new s3.CreateBucketCommand({ Bucket: bucket }))
    const load = startLoad(world, seed as number, workers as number)
    const chaos = startChaos(world, openDice(seed as number), values.verbose ? say : () => {})
    const end = performance.now() + (minutes as number) * 60_000
    while (performance.now() < end && load.faults.length === 0) await pause(Math.min(1000, end - performance.now()))
    await chaos.stop()
    await load.stop()
    say('the faults are over')
    const checks: Check[] = [{ says: 'no answer under load was wrong', faults: load.faults }]
    checks.push(await healed(world))
    checks.push(...(await readBack(world, load)))
    const code = await world.pelago.stop()
    stopped = true
    checks.push({ says: 'everything stops when it is told to', faults: code === 0 ? [] : [`it ended with ${code}`] })
    checks.push(...(await comparedWithDisks(world)))

    const lines = [...summary(load, checks), ...facts('Faults', chaos.done), ...facts('Load', load.counts)]
    for (const line of lines) console.log(line)
    for (const { says, faults } of checks) {
      console.log(`${faults.length === 0 ? 'passed' : 'FAILED'}: ${says}`)
      for (const fault of faults.slice(0, shown)) console.log(`        ${fault}`)
      if (faults.length > shown) console.log(`        and ${faults.length - shown} more`)
    }
    if (values.record) record(checks, lines)
    const failed = checks.filter(({ faults }) => faults.length > 0).length
    if (failed > 0) console.log(`npm run torture -- --minutes ${minutes} --seed ${seed} tries the same faults again`)
    console.log(`${checks.length - failed} passed, ${failed} failed`)
    return failed > 0 ? 1 : 0
  } finally {
    if (!stopped) say('stopping')
    await close(world)
  }
}

/** What most want to know first. */
function summary(load: Load, checks: readonly Check[]): string[] {
  const sum = (pattern: RegExp) =>
    [...load.counts].filter(([what]) => pattern.test(what)).reduce((all, [, times]) => all + times, 0)
  const wrong = checks.reduce((all, { faults }) => all + faults.length, 0)
  return [
    'In all:',
    `- writes and deletions that were acknowledged: ${sum(/^(put|delete|upload|race).*: done$/)}`,
    `- reads and listings that were held against what may be there: ${sum(/^(get|head|list): done$/)}`,
    `- refused with a reason (conditions that do not hold, too little room, overload): ${sum(/: refused$/)}`,
    `- without an answer, or with one that leaves it open: ${sum(/: (unknown|unanswered|broken off)$/)}`,
    `- asked again by the client: none while it lasts; whoever gets no answer goes on with something else`,
    `- longest time in which no gateway answered any worker: ${(load.longestSilenceMs() / 1000).toFixed(1)} s`,
    `- lost or wrong: ${wrong}`,
  ]
}

function facts(title: string, counts: ReadonlyMap<string, number>): string[] {
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  return [`${title}:`, ...sorted.map(([what, times]) => `- ${what}: ${times}`)]
}

function close(world: World): Promise<void> {
  closing ??= world.close()
  return closing
}

function record(checks: readonly Check[], lines: readonly string[]): void {
  const root = join(import.meta.dirname, '..', '..')
  const day = new Date().toISOString().slice(0, 10)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const command = `npm run torture -- --minutes ${values.minutes} --seed ${values.seed}`
  const page = [
    `# Torture, ${day}`,
    '',
    `Written by \`${command}\` at ${commit} on ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}: ${values.gateways} gateways over one`,
    `PostgreSQL, seven providers, ${values.workers} workers, all real processes on one machine. A worker asks once; what is`,
    'not answered counts as unknown, and may be found or not.',
    '',
    ...checks.flatMap(({ says, faults }) => [
      `- ${faults.length === 0 ? 'passed' : 'FAILED'}: ${says}`,
      ...faults.slice(0, shown).map((fault) => `  - ${fault}`),
    ]),
    '',
    ...lines.map((line) => (line.endsWith(':') ? `\n## ${line.slice(0, -1)}\n` : line)),
  ]
  const folder = join(root, 'docs', 'measured')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, `${day}-torture.md`),
    `${page
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trimEnd()}\n`,
  )
}
