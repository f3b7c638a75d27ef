/** `npm run sim -- --seed N --runs M [--from-commit] [--mutants [--some N]] [--json]`: lives of an archipelago,
 * each seed twice. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { runSeeds } from './crew.ts'
import { runDeadSets } from './dead-sets.ts'
import { mutants } from './mutants.ts'
import { runSlowProvider } from './slow-provider.ts'

const seedsPerMutant = 150
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string', default: '100' },
    'from-commit': { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
    some: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
const first = values.seed === undefined ? (values['from-commit'] ? commitSeed() : 1) : Number(values.seed)
const some = values.some === undefined ? mutants.length : Number(values.some)
if (![runs, some].every((number) => Number.isInteger(number) && number > 0) || !Number.isInteger(first)) {
  console.error('--seed, --runs and --some are whole numbers.')
  process.exit(2)
}
let passed = 0
let failed = 0
const say = (line: string) => (values.json ? console.error(line) : console.log(line))
const count = (name: string, failure: string | undefined) => {
  if (failure === undefined) passed++
  else {
    failed++
    say(`FAILED ${name}: ${failure}`)
  }
}

if (values.mutants) await runMutants()
else await runLives()
if (values.json) console.log(JSON.stringify({ first, runs, passed, failed }))
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

async function runLives(): Promise<void> {
  for (const { name, failure } of await runDeadSets()) count(name, failure)
  const sets = passed
  count('one slow provider', (await runSlowProvider(first)).join('; ') || undefined)
  say(
    `${sets} sets of dead providers under several policies, a slow provider; now seeds ${first} to ${first + runs - 1}, each twice`,
  )
  const seeds = Array.from({ length: runs }, (_, at) => first + at)
  await runSeeds(seeds, {
    stopAtFirst: false,
    onVerdict({ seed, failure, tail }) {
      count(`seed ${seed}`, failure)
      if (failure === undefined) return
      say((tail ?? []).slice(-60).join('\n'))
      say(`Again, alone: npm run sim -- --seed ${seed} --runs 1`)
    },
  })
}

/** Every planted bug must be noticed by one of a few seeds. With `--some N` so many, beginning where the first seed says. */
async function runMutants(): Promise<void> {
  // Zero stands for the dead sets and a slow provider; they take longer than most bugs need to be noticed.
  const seeds = [...Array.from({ length: seedsPerMutant }, (_, at) => at + 1)].toSpliced(40, 0, 0)
  const from = first % mutants.length
  const chosen = [...mutants.slice(from), ...mutants.slice(0, from)].slice(0, some)
  for (const { name } of chosen) {
    const verdicts = await runSeeds(seeds, { mutant: name, stopAtFirst: true })
    const caught = verdicts.find(({ failure }) => failure !== undefined)
    if (caught?.failure?.includes('it must be there once')) count(name, caught.failure)
    else count(name, caught ? undefined : `${seedsPerMutant} seeds did not notice it`)
    if (caught) say(`caught by seed ${caught.seed}: ${name} (${caught.failure?.split('\n')[0]?.slice(0, 110)})`)
  }
}

/** The same commit gives the same seeds, another one others. */
function commitSeed(): number {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' })
  const text = stdout.trim()
  if (text === '') return 1
  return createHash('sha256').update(text).digest().readUInt32BE(0)
}
