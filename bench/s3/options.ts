import { parseArgs } from 'node:util'
import { type Cell, cellsOf, fullCells, gib, kib, mib, nameOf, type State, targetCells, verbs } from './plan.ts'

export type Options = {
  preset: 'quick' | 'default' | 'full' | 'chosen'
  cells: Cell[]
  rounds: number
  /** How long one round of one variant is meant to take. */
  seconds: number
  peer?: { endpoint: string; name: string; key: { id: string; secret: string }; pids: number[] | { folder: string } }
  ronomon: boolean
  /** How long to wait before each round for others on this machine to be quiet. */
  patience: number
  link: { leastMs: number; mostMs: number; bytesPerSecond: number }
  json?: string
  record: boolean
}

export const help = `npm run bench -- s3 [options]

Measures a whole federation on this machine, started for it and removed after it: seven providers, one gateway, and a load
process of its own. What is compared takes turns, round by round; ends with a verdict on each target that was covered.

How much
  (nothing)              what the targets need: about 10 minutes
  --quick                the same with short rounds: about 2 minutes
  --full                 every size, verb, state, hot and cold, WAN, one object of 5 GiB: hours
  --rounds N             rounds of each load (5; quick 3)
  --seconds S            of each round and variant (2; quick 0.5)
  --patience S           waits before each round until others use less than 10 % of the processors, but not longer (0)

Choose loads instead (any of these makes a matrix of all that are named)
  --sizes 1k,16k,1m,8m,64m,5g      (64m)
  --concurrency 1,2,16,64,256      (2)
  --verbs ${verbs.join(',').toLowerCase()}    (put,get); range is 64 KiB somewhere in the object;
                         mixed is 45 % GET, 30 % PUT, 15 % HEAD, 10 % LIST of 100 keys
  --states healthy,dead,slow       (healthy); dead: one provider killed; slow: one answers 10 times slower
  --hot, --cold          read again and again (without either), or never read before and caches dropped (root)
  --wan                  a link before each provider instead of bare loopback

The links of a WAN
  --rtt 10,40            least and most round trip in ms, spread over the providers
  --gbit 1               rate of each link in each direction

Beside others
  --peer URL             an S3 endpoint to measure beside; PEER_ACCESS_KEY and PEER_SECRET_KEY in the environment
  --peer-name WORDS      what it is, for the page
  --peer-pids 1,2,3      its processes, for their CPU and memory
  --peer-run DIR         or a folder of NAME.pid files (/tmp/ceph-peer/run, as bench/peers/ceph.sh leaves it)
  --ronomon              compares the code with @ronomon/reed-solomon, which npm builds in a temporary folder (C++ compiler)

Results
  --json FILE            everything that was measured
  --record               a dated page and its JSON under docs/measured/
`

const units: Record<string, number> = { k: kib, m: mib, g: gib }

/** @throws Error with a sentence for whoever typed the words */
export function readOptions(words: string[], environment: NodeJS.ProcessEnv): Options | 'help' {
  const { values } = parseArgs({
    args: words,
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      sizes: { type: 'string' },
      concurrency: { type: 'string' },
      verbs: { type: 'string' },
      states: { type: 'string' },
      hot: { type: 'boolean', default: false },
      cold: { type: 'boolean', default: false },
      wan: { type: 'boolean', default: false },
      rtt: { type: 'string', default: '10,40' },
      gbit: { type: 'string', default: '1' },
      peer: { type: 'string' },
      'peer-name': { type: 'string', default: 'the S3 endpoint beside' },
      'peer-pids': { type: 'string' },
      'peer-run': { type: 'string', default: '/tmp/ceph-peer/run' },
      patience: { type: 'string', default: '0' },
      ronomon: { type: 'boolean', default: false },
      json: { type: 'string' },
      record: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  if (values.quick && values.full) throw new Error('Say --quick or --full, not both.')
  const { sizes, concurrency, states, hot, cold, wan } = values
  const chosen = [sizes, concurrency, values.verbs, states].some((word) => word !== undefined) || hot || cold || wan
  if (chosen && values.full) throw new Error('--full is everything; leave the choice of loads away.')
  const cells = chosen
    ? cellsOf({
        sizes: list(sizes ?? '64m').map(sizeOf),
        concurrency: list(concurrency ?? '2').map((word) => number('--concurrency', word, 1)),
        verbs: list(values.verbs ?? 'put,get').map((word) => oneOf('--verbs', word.toUpperCase(), verbs)),
        states: list(states ?? 'healthy').map((word) => oneOf<State>('--states', word, ['healthy', 'dead', 'slow'])),
        wan: [wan],
        cold: cold ? (hot ? [false, true] : [true]) : [false],
      })
    : values.full
      ? fullCells()
      : targetCells
  if (cells.length === 0) throw new Error('None of these loads makes sense together; npm run bench -- s3 --help')
  const [leastMs, mostMs] = list(values.rtt).map((word) => number('--rtt', word, 0.1)) as [number, number?]
  const { PEER_ACCESS_KEY: id, PEER_SECRET_KEY: secret } = environment
  if (values.peer !== undefined && (!id || !secret)) {
    throw new Error('A peer needs PEER_ACCESS_KEY and PEER_SECRET_KEY in the environment.')
  }
  const pids = values['peer-pids']
  return {
    preset: chosen ? 'chosen' : values.full ? 'full' : values.quick ? 'quick' : 'default',
    cells,
    rounds: Math.floor(number('--rounds', values.rounds ?? (values.quick ? '3' : '5'), 1)),
    seconds: number('--seconds', values.seconds ?? (values.quick ? '0.5' : '2'), 0.05),
    ...(values.peer !== undefined && {
      peer: {
        endpoint: values.peer,
        name: values['peer-name'],
        key: { id: id as string, secret: secret as string },
        pids:
          pids === undefined ? { folder: values['peer-run'] } : list(pids).map((pid) => number('--peer-pids', pid, 1)),
      },
    }),
    ronomon: values.ronomon,
    patience: number('--patience', values.patience, 0),
    link: { leastMs, mostMs: mostMs ?? leastMs, bytesPerSecond: (number('--gbit', values.gbit, 0.001) * 1e9) / 8 },
    ...(values.json !== undefined && { json: values.json }),
    record: values.record,
  }
}

/** Whether a run with these options was meant to measure this load. */
export const covers = (options: Options, cell: Cell) => options.cells.some((one) => nameOf(one) === nameOf(cell))

const list = (words: string) => words.split(',').map((word) => word.trim())

function sizeOf(word: string): number {
  const found = /^(\d+)([kmg])$/i.exec(word)
  const unit = units[found?.[2]?.toLowerCase() ?? '']
  if (!found || unit === undefined) throw new Error(`--sizes takes sizes like 16k, 8m or 5g, not ${word}.`)
  return Number(found[1]) * unit
}

function number(option: string, word: string, least: number): number {
  const value = Number(word)
  if (!Number.isFinite(value) || value < least)
    throw new Error(`${option} takes a number from ${least} on, not ${word}.`)
  return value
}

function oneOf<T extends string>(option: string, word: string, known: readonly T[]): T {
  const found = known.find((one) => one === word)
  if (found === undefined) throw new Error(`${option} takes ${known.join(', ').toLowerCase()}, not ${word}.`)
  return found
}
