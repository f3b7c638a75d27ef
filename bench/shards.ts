/**
 * `node bench/shards.ts [--rounds N]`: one provider over loopback, its real disk and its syncs, beside raw HTTP in the same run.
 * Ratios are what counts; both sides share the processors with the client.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openNode, type ShardStore } from '../src/storage/index.ts'
import { systemClock as clock } from '../src/host/clock.ts'
import { openDisk } from '../src/host/disk.ts'
import { openRandom } from '../src/host/random.ts'
import { openShardStore } from '../src/host/shard-client.ts'
import { openShardServer } from '../src/host/shard-server.ts'

const shardBytes = 64 + 44 * 131_104
const cell = randomBytes(131_104)
const signal = new AbortController().signal
const shared = new Uint8Array(32).fill(7)

type Wire = {
  put(name: string, length: number): Promise<void>
  get(name: string, length: number): Promise<void>
  close(): void
}

if (process.argv[2] === 'serve') await serve(process.argv[3] as string)
else await compare()

async function serve(folder: string): Promise<void> {
  const random = openRandom()
  const config = { provider: 'p', quotaBytes: 1e12, trashMs: 0, reserveBytes: 0 }
  const node = await openNode({ disk: openDisk(folder), clock, random, log: () => {} }, config)
  const gateways = new Map([['g', shared]])
  const server = await openShardServer(
    { node, gateways, clock, log: () => {}, provider: 'p' },
    { host: '127.0.0.1', port: 0 },
  )
  process.send?.(server.port)
  process.on('disconnect', () => process.exit(0))
}

async function compare(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } })
  const folder = mkdtempSync(join(tmpdir(), 'pelago-bench-'))
  const children: ChildProcess[] = []
  const start = (file: string, ...args: string[]) =>
    new Promise<number>((resolve) => {
      const child = fork(join(import.meta.dirname, file), args)
      children.push(child)
      child.once('message', (port) => resolve(port as number))
    })
  try {
    const raw = rawWire(await start('raw-server.ts'))
    const pelago = shardWire(await start('shards.ts', 'serve', folder))
    for (const [length, count] of [
      [shardBytes, 24],
      [64 + 4096 + 32, 400],
    ] as const) {
      for (const lanes of [1, 6]) await measure(raw, pelago, length, count, lanes, Number(values.rounds))
    }
    raw.close()
    pelago.close()
  } finally {
    for (const child of children) child.disconnect()
    rmSync(folder, { recursive: true })
  }
}

/** Rounds take turns, so that what else the machine does meets both. */
async function measure(
  raw: Wire,
  pelago: Wire,
  length: number,
  count: number,
  lanes: number,
  rounds: number,
): Promise<void> {
  const taken = {
    raw: { put: [] as number[], get: [] as number[] },
    pelago: { put: [] as number[], get: [] as number[] },
  }
  for (let round = 0; round <= rounds; round++) {
    for (const [target, wire] of [
      ['raw', raw],
      ['pelago', pelago],
    ] as const) {
      const names = Array.from({ length: count }, () => randomBytes(16).toString('hex'))
      for (const verb of ['put', 'get'] as const) {
        const ms = await timed(names, lanes, (name) => wire[verb](name, length))
        // The first round warms up.
        if (round > 0) taken[target][verb].push(ms)
      }
    }
  }
  for (const verb of ['put', 'get'] as const) {
    const [plain, own] = [median(taken.raw[verb]), median(taken.pelago[verb])]
    const rate = (ms: number) => ((length * count) / ms / 1000).toFixed(length > 1e6 ? 0 : 1)
    const each = (ms: number) => `${((ms * lanes) / count).toFixed(2)} ms each`
    const size = length > 1e6 ? `${(length / 1048576).toFixed(1)} MiB` : `${(length / 1024).toFixed(1)} KiB`
    console.log(
      `${verb} ${size} x${lanes}: raw ${rate(plain)} MB/s, ${each(plain)}; pelago ${rate(own)} MB/s, ${each(own)}; ratio ${(plain / own).toFixed(2)}`,
    )
  }
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

async function timed(names: string[], lanes: number, act: (name: string) => Promise<void>): Promise<number> {
  const rest = [...names]
  const began = performance.now()
  const lane = async () => {
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) await act(name)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return performance.now() - began
}

/** A shard as the gateway sends it: a short header, then cell after cell. */
function* piecesOf(length: number): Generator<Uint8Array> {
  yield cell.subarray(0, 64)
  for (let left = length - 64; left > 0; left -= cell.length) yield cell.subarray(0, Math.min(left, cell.length))
}

function shardWire(port: number): Wire {
  const provider = {
    id: 'p',
    name: 'P',
    country: 'DE',
    owner: 'P',
    ownerCountry: 'DE',
    attestations: [],
    capacityBytes: 1,
    endpoint: `http://127.0.0.1:${port}`,
    publicKey: '',
  }
  const store: ShardStore & { close(): void } = openShardStore({ clock, random: openRandom() }, provider, {
    gateway: 'g',
    shared,
  })
  return {
    async put(name, length) {
      const writer = store.create(name, length, signal)
      for (const piece of piecesOf(length)) await writer.write(piece)
      await writer.finish()
    },
    async get(name, length) {
      await store.read(name, 0, length, signal)
    },
    close: () => store.close(),
  }
}

function rawWire(port: number): Wire {
  const agent = new Agent({ keepAlive: true })
  const ask = (method: string, name: string, length: number) =>
    request({ agent, port, host: '127.0.0.1', method, path: `/${name}`, headers: { 'content-length': length } })
  return {
    put: (name, length) =>
      new Promise((resolve, reject) => {
        const call = ask('PUT', name, length)
        call.on('error', reject)
        call.on('response', (response) => response.resume().on('end', resolve))
        const pieces = piecesOf(length)
        const next = () => {
          const { value, done } = pieces.next()
          if (done) call.end()
          else call.write(value, next)
        }
        next()
      }),
    get: (name, length) =>
      new Promise((resolve, reject) => {
        const call = ask('GET', name, 0)
        call.on('error', reject)
        call.on('response', (response) => {
          let got = 0
          response.on('data', (chunk: Buffer) => {
            got += chunk.length
          })
          response.on('end', () =>
            got === length ? resolve() : reject(new Error(`${got} bytes instead of ${length}`)),
          )
        })
        call.end()
      }),
    close: () => agent.destroy(),
  }
}
