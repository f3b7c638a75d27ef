/** `npm run bench -- s3 [--peer URL] [--json FILE] [--record]`: numbers as ratios within one run. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchIndex } from './index.ts'
import { benchS3, type Sample } from './s3.ts'

if (process.argv[2] === 'index') {
  const { failed } = await benchIndex(process.argv.slice(3), (line) => console.log(line))
  process.exit(failed > 0 ? 1 : 0)
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { peer: { type: 'string' }, json: { type: 'string' }, record: { type: 'boolean', default: false } },
})
if (positionals[0] !== 's3') {
  console.error('Say what to measure: npm run bench -- s3 [--peer URL] [--json FILE] [--record]')
  process.exit(2)
}
const id = process.env.PEER_ACCESS_KEY
const secret = process.env.PEER_SECRET_KEY
if (values.peer !== undefined && (!id || !secret)) {
  console.error('A peer needs PEER_ACCESS_KEY and PEER_SECRET_KEY in the environment.')
  process.exit(2)
}
const peer =
  values.peer === undefined
    ? undefined
    : { name: 'peer', endpoint: values.peer, key: { id: id ?? '', secret: secret ?? '' }, region: 'us-east-1' }
const samples = await benchS3(peer, (line) => console.error(line))
const lines = tableOf(samples)
for (const line of lines) console.log(line)
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ at: new Date().toISOString(), samples }, null, 2)}\n`)
const verdicts = peer ? verdictsOf(samples) : []
for (const { says } of verdicts) console.log(says)
if (values.record)
  record(
    lines,
    verdicts.map(({ says }) => says),
  )
const passed = peer ? verdicts.filter(({ good }) => good).length : samples.length
const failed = verdicts.filter(({ good }) => !good).length
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function median(rates: readonly number[]): number {
  return rates[Math.floor(rates.length / 2)] ?? Number.NaN
}

function find(all: readonly Sample[], like: Sample, target: string): number {
  return median(
    all.find(
      (one) => one.target === target && one.verb === like.verb && one.size === like.size && one.atOnce === like.atOnce,
    )?.rates ?? [],
  )
}

function tableOf(all: readonly Sample[]): string[] {
  const head = [
    '| verb | size | at once | raw MB/s | Pelago MB/s (least to most) | Pelago / raw |',
    '|---|---|---|---|---|---|',
  ]
  if (peer) {
    head[0] += ' peer MB/s | Pelago / peer |'
    head[1] += '---|---|'
  }
  const rows = all
    .filter(({ target }) => target === 'pelago')
    .map((sample) => {
      const [own, raw] = [median(sample.rates), find(all, sample, 'raw')]
      const spread = `${number(sample.rates[0])} to ${number(sample.rates[sample.rates.length - 1])}`
      const size = sample.size >= 1048576 ? `${sample.size / 1048576} MiB` : `${sample.size / 1024} KiB`
      const cells = [
        sample.verb,
        size,
        sample.atOnce,
        number(raw),
        `${number(own)} (${spread})`,
        (own / raw).toFixed(3),
      ]
      if (peer) {
        const other = find(all, sample, 'peer')
        cells.push(number(other), (own / other).toFixed(2))
      }
      return `| ${cells.join(' | ')} |`
    })
  return [...head, ...rows]
}

function number(value: number | undefined): string {
  const shown = value ?? Number.NaN
  return shown >= 100 ? shown.toFixed(0) : shown >= 1 ? shown.toFixed(1) : shown.toFixed(2)
}

/** The one target there is: 64 MiB not slower than the peer. */
function verdictsOf(all: readonly Sample[]): { good: boolean; says: string }[] {
  return all
    .filter(({ target, size, atOnce }) => target === 'pelago' && size === 64 * 1048576 && atOnce === 1)
    .map((sample) => {
      const ratio = median(sample.rates) / find(all, sample, 'peer')
      const good = ratio >= 1
      return {
        good,
        says: `${good ? 'passed' : 'FAILED'}: 64 MiB ${sample.verb} runs at ${ratio.toFixed(2)} times the peer's speed`,
      }
    })
}

function record(table: readonly string[], verdicts: readonly string[]): void {
  const day = new Date().toISOString().slice(0, 10)
  const folder = join(import.meta.dirname, '..', 'docs', 'measured')
  mkdirSync(folder, { recursive: true })
  const processor = cpus()[0]?.model ?? 'unknown'
  const text = [
    `# S3 over loopback, ${day}`,
    '',
    `Written by \`npm run bench -- s3${peer ? ' --peer URL' : ''} --record\` on ${cpus().length} x ${processor}, Node ${process.versions.node}.`,
    'All processes (seven providers, gateway, client, peer) share these processors. Medians over six rounds that take turns;',
    'MB is 10^6 bytes. `raw` is HTTP over loopback that stores nothing: what no S3 endpoint can be quicker than.',
    ...(peer
      ? ['The peer keeps one copy on one disk; Pelago seals, codes and stores one and a half on six providers.']
      : []),
    '',
    ...table,
    '',
    ...verdicts.map((line) => `- ${line}`),
    '',
  ].join('\n')
  writeFileSync(join(folder, `${day}-s3${peer ? '-peer' : ''}.md`), text)
}
