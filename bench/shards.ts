/**
 * `node bench/shards.ts [--rounds N]`: one provider over loopback, its real disk and its syncs, beside raw HTTP that stores
 * nothing, in the same run. Ratios are what counts; both share the processors with the client. CPU is that of the server and
 * the client together, and stays comparable when the machine does other things too.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundling, openNode, type ShardStore } from '../src/storage/index.ts'
import { systemClock as clock } from '../src/host/clock.ts'
import { openDisk } from '../src/host/disk/disk.ts'
import { openRandom } from '../src/host/random.ts'
import { openShardStore } from '../src/host/shards/shard-client.ts'
import { openShardServer } from '../src/host/shards/shard-server.ts'

const shardBytes = 64 + 44 * 131_104
const cell = randomBytes(131_104)
const signal = new AbortController().signal
const shared = new Uint8Array(32).fill(7)

type Wire = {
  put(name: string, length: number): Promise<void>
  get(name: string, length: number): Promise<void>
  drop(name: string): Promise<void>
  close(): void
}

if (process.argv[2] === 'provider') await serveShards(process.argv[3] as string)
else if (process.argv[2] === 'raw') serveRaw()
else await compare()

async function serveShards(folder: string): Promise<void> {
  const random = openRandom()
  // The trash is emptied at once: memory that files had is quicker to fill than memory that nobody had.
  const config = { provider: 'p', quotaBytes: 1e12, trashMs: -2 * 86_400_000, reserveBytes: 0, ...bundling }
  const node = await openNode({ disk: openDisk(folder), clock, random, log: () => {} }, config)
  const gateways = new Map([['g', { shared, pin: undefined }]])
  const ports = { node, gateways, clock, log: () => {}, provider: 'p' }
  const server = await openShardServer(ports, { host: '127.0.0.1', port: 0 })
  report(server.port, () => node.purge())
}

/** Takes bodies and forgets them, gives bytes. */
function serveRaw(): void {
  const body = randomBytes(shardBytes)
  const server = createServer((request, response) => {
    const length = Number(request.headers['x-length'] ?? 0)
    request
      .resume()
      .on('end', () => response.writeHead(200, { 'content-length': length }).end(body.subarray(0, length)))
  })
  server.listen(0, '127.0.0.1', () => report((server.address() as AddressInfo).port, async () => {}))
}

/** Says the port, then the CPU that was used whenever it is asked, or that it has tidied up. */
function report(port: number, tidy: () => Promise<unknown>): void {
  process.send?.(port)
  process.on('message', (word) => {
    if (word === 'cpu') process.send?.(cpuMs())
    else void tidy().then(() => process.send?.(0))
  })
  process.on('disconnect', () => process.exit(0))
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function compare(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } })
  const folder = mkdtempSync(join(tmpdir(), 'pelago-bench-'))
  const children: ChildProcess[] = []
  const start = async (...args: string[]) => {
    const child = fork(import.meta.filename, args)
    children.push(child)
    const [port] = (await once(child, 'message')) as [number]
    const cpu = async () => {
      child.send('cpu')
      const [used] = (await once(child, 'message')) as [number]
      return used + cpuMs()
    }
    const tidy = async () => {
      child.send('tidy')
      await once(child, 'message')
    }
    return { port, cpu, tidy }
  }
  try {
    const [rawServer, provider] = [await start('raw'), await start('provider', folder)]
    const raw: Target = { wire: rawWire(rawServer.port), ...rawServer }
    const pelago: Target = { wire: shardWire(provider.port), ...provider }
    for (const [length, count] of [
      [shardBytes, 24],
      [64 + 4096 + 32, 400],
    ] as const) {
      for (const lanes of [1, 6]) await measure(raw, pelago, { length, count, lanes }, Number(values.rounds))
    }
    raw.wire.close()
    pelago.wire.close()
  } finally {
    for (const child of children) child.disconnect()
    rmSync(folder, { recursive: true })
  }
}

type Target = { wire: Wire; cpu(): Promise<number>; tidy(): Promise<void> }
type Load = { length: number; count: number; lanes: number }

/** Rounds take turns, so that what else the machine does meets both. */
async function measure(raw: Target, pelago: Target, { length, count, lanes }: Load, rounds: number): Promise<void> {
  const taken = [raw, pelago].map((target) => ({ target, put: [] as Cost[], get: [] as Cost[] }))
  for (let round = 0; round <= rounds; round++) {
    for (const { target, ...costs } of taken) {
      const names = Array.from({ length: count }, () => randomBytes(16).toString('hex'))
      for (const verb of ['put', 'get'] as const) {
        const before = await target.cpu()
        const ms = await timed(names, lanes, (name) => target.wire[verb](name, length))
        // The first round warms up.
        if (round > 0) costs[verb].push({ ms: ms / count, cpu: ((await target.cpu()) - before) / count })
      }
      await timed(names, lanes, target.wire.drop)
      await target.tidy()
    }
  }
  for (const verb of ['put', 'get'] as const) {
    const [plain, own] = taken.map((costs) => ({
      ms: median(costs[verb].map(({ ms }) => ms)),
      cpu: median(costs[verb].map(({ cpu }) => cpu)),
    })) as [Cost, Cost]
    const rate = ({ ms }: Cost) => `${(length / ms / 1000).toFixed(length > 1e6 ? 0 : 1)} MB/s`
    const size = length > 1e6 ? `${(length / 1048576).toFixed(1)} MiB` : `${(length / 1024).toFixed(1)} KiB`
    console.log(
      `${verb} ${size} x${lanes}: raw ${rate(plain)}, pelago ${rate(own)}, ratio ${(plain.ms / own.ms).toFixed(2)}; ` +
        `CPU ${plain.cpu.toFixed(2)} and ${own.cpu.toFixed(2)} ms, ratio ${(plain.cpu / own.cpu).toFixed(2)}`,
    )
  }
}

type Cost = { ms: number; cpu: number }

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
  const provider = { id: 'p', endpoint: `http://127.0.0.1:${port}` }
  const store: ShardStore & { close(): void } = openShardStore({ clock, random: openRandom() }, provider, {
    gateway: 'g',
    shared,
  })
  return {
    async put(name, length) {
      const writer = store.create(name, length, signal)
      let left = length
      for (const piece of piecesOf(length)) {
        left -= piece.length
        const sent = writer.write(piece)
        // As a gateway does: the end goes out with the last bytes.
        const finished = left === 0 ? writer.finish() : undefined
        await sent
        await finished
      }
    },
    async get(name, length) {
      await store.read(name, 0, length, signal)
    },
    drop: (name) => store.trash(name, signal),
    close: () => store.close(),
  }
}

function rawWire(port: number): Wire {
  const agent = new Agent({ keepAlive: true })
  const ask = (method: string, name: string, length: number, wanted = 0) => {
    const headers = { 'content-length': length, 'x-length': wanted }
    return request({ agent, port, host: '127.0.0.1', method, path: `/${name}`, headers })
  }
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
        const call = ask('GET', name, 0, length)
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
    drop: async () => {},
    close: () => agent.destroy(),
  }
}
