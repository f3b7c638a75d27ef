import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { help, type Options, readOptions } from './s3/options.ts'
import { pageOf, tableOf } from './s3/page.ts'
import { runS3 } from './s3/run.ts'
import type { Results } from './s3/results.ts'
import { type Verdict, verdictsOf } from './s3/verdicts.ts'

const root = join(import.meta.dirname, '..')

/** `npm run bench -- s3`. @returns the exit code: 1 when a target was missed, 2 for words that are not understood */
export async function benchS3(words: string[]): Promise<number> {
  let options: Options | 'help'
  try {
    options = readOptions(words, process.env)
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    return 2
  }
  if (options === 'help') {
    console.log(help)
    return 0
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      console.error('Stopping after this round.')
      stop.abort(new Error('it was told to stop'))
    })
  }
  let results: Results
  try {
    results = await runS3(options, (line) => console.error(line), stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) throw error
    console.error('Stopped; nothing was recorded.')
    return 130
  }
  const verdicts = verdictsOf(results, options)
  const command = commandOf(words)
  const page = pageOf(results, options, verdicts, command)
  const json = `${JSON.stringify({ ...results, command, verdicts }, rounded, 2)}\n`
  if (options.json !== undefined) writeFileSync(options.json, json)
  if (options.record) record(results, options, page, json)
  for (const line of [...tableOf(results.samples), '', ...page.slice(page.indexOf('## Besides') + 2)]) console.log(line)
  for (const { state, says } of verdicts) console.log(`${state}: ${says}`)
  const count = (state: Verdict['state']) => verdicts.filter((verdict) => verdict.state === state).length
  console.log(`${count('passed')} passed, ${count('FAILED')} failed`)
  return count('FAILED') > 0 ? 1 : 0
}

/** What to type for the same again: not where the results went, nor where a peer keeps its own things. */
function commandOf(words: readonly string[]): string {
  const left = new Set(['--json', '--peer-run', '--peer-pids', '--peer-name'])
  const kept = words.filter((word, at) => word !== '--record' && !left.has(word) && !left.has(words[at - 1] ?? ''))
  return ['npm run bench -- s3', ...kept].join(' ')
}

/** Six digits are more than any of these numbers is worth. */
const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value)

function record({ at }: Results, { peer, preset }: Options, page: string[], json: string): void {
  const folder = join(root, 'docs', 'measured')
  mkdirSync(folder, { recursive: true })
  const name = [at.slice(0, 10), 's3', ...(peer ? ['peer'] : []), ...(preset === 'default' ? [] : [preset])].join('-')
  writeFileSync(join(folder, `${name}.md`), `${page.join('\n').trimEnd()}\n`)
  const file = join(folder, `${name}.json`)
  writeFileSync(file, json)
  // Files of the repository are all formatted by the same hand.
  const format = spawnSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', file])
  if (format.status !== 0) throw new Error(`${file} could not be formatted: ${String(format.stderr)}`)
}
