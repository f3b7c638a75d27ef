/**
 * `node bench/edge.ts [--rounds N] [--profile FOLDER]`: what a small request costs at the S3 edge, in microseconds of the
 * server's CPU, beside the HTTP server of Node answering the same bytes. The edge is the real one, signatures and all, over a
 * storage in memory; both are asked by the same client over 64 connections, taking turns.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createHash, hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { listedKeys } from '../src/access/index.ts'
import { signRequest } from '../src/client/index.ts'
import { systemClock as clock } from '../src/host/clock.ts'
import { openS3Server } from '../src/host/http/http-s3.ts'
import { admissionOf, s3LimitsOf } from '../src/host/http/s3-limits.ts'
import { openMetrics } from '../src/host/observe/open-metrics.ts'
import { openOffload } from '../src/host/offload/offload.ts'
import { openRandom } from '../src/host/random.ts'
import { createS3 } from '../src/s3/index.ts'
import type { ObjectInfo, ObjectStorage } from '../src/storage/index.ts'

const connections = 64
const perRound = 30_000
const body = randomBytes(1024)
const key = { id: 'AKIDEDGE', secret: 'bench' }
const region = 'eu-central-1'

type Verb = 'GET' | 'PUT'
type Server = { name: string; child: ChildProcess; port: number; cpu(): Promise<number> }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '7' }, profile: { type: 'string' } },
})
if (positionals[0] === 'node') serveNode()
else if (positionals[0] === 'edge') await serveEdge()
else await compare(Number(values.rounds))

function serveNode(): void {
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void response.writeHead(200, { 'content-length': body.length }).end(body)
    request.resume().on('end', () => response.writeHead(200, { 'content-length': 0 }).end())
  })
  server.listen(0, '127.0.0.1', () => report((server.address() as AddressInfo).port))
}

async function serveEdge(): Promise<void> {
  const access = listedKeys([{ ...key, tenant: 'bench', actor: 'bench' }])
  const ports = { clock, random: openRandom(), offload: openOffload(), log: () => {}, access, storage: memoryStorage() }
  const admission = admissionOf(s3LimitsOf())
  const handle = createS3(ports, { region, hostnames: ['localhost'], admission })
  const server = await openS3Server(
    { handle, clock, log: (...line) => console.error(line), metrics: openMetrics() },
    { host: '127.0.0.1', port: 0 },
  )
  report(server.port)
}

/** Answers at once, copying as a pack does: what is measured is all but storage. */
function memoryStorage(): ObjectStorage {
  const objects = new Map<string, { info: ObjectInfo; bytes: Uint8Array }>()
  const own = {
    async putObject(_: unknown, input: Parameters<ObjectStorage['putObject']>[1]) {
      const bytes = (await input.body.whole?.()) ?? Buffer.concat(await Array.fromAsync(input.body.chunks))
      const etag = hash('md5', bytes, 'hex')
      const checksum = input.body.finish(Buffer.from(etag, 'hex'))
      const info = {
        key: input.key,
        version: '0',
        size: bytes.length,
        etag,
        modifiedAt: clock.now(),
        headers: input.headers,
        ...(checksum && { checksum }),
      }
      const id = `${input.bucket}/${input.key}`
      const kept = objects.get(id)?.bytes ?? new Uint8Array(bytes.length)
      kept.set(bytes)
      objects.set(id, { info, bytes: kept })
      return info
    },
    async openObject(_: unknown, input: { bucket: string; key: string }) {
      const found = objects.get(`${input.bucket}/${input.key}`)
      if (!found) throw new Error('it was not put before')
      async function* read() {
        yield Uint8Array.from(found?.bytes ?? [])
      }
      return { info: found.info, ready: found.bytes, read }
    },
  }
  return own as unknown as ObjectStorage
}

function report(port: number): void {
  process.send?.(port)
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
  process.on('disconnect', () => process.exit(0))
}

async function compare(rounds: number): Promise<void> {
  const servers: Server[] = []
  const samples = new Map<string, { cpu: number[]; rate: number[] }>()
  try {
    for (const name of ['node', 'edge']) servers.push(await start(name))
    for (let round = 0; round < rounds; round++) {
      for (const verb of ['PUT', 'GET'] as const) {
        for (const server of servers) {
          const sockets = await Promise.all(Array.from({ length: connections }, () => open(server.port)))
          await load(sockets, server.port, verb, connections * 4)
          const [before, began] = [await server.cpu(), performance.now()]
          await load(sockets, server.port, verb, perRound)
          const [took, used] = [performance.now() - began, (await server.cpu()) - before]
          for (const socket of sockets) socket.destroy()
          const id = `${verb} ${server.name}`
          const sample = samples.get(id) ?? { cpu: [], rate: [] }
          // The first round warms everything up.
          if (round > 0) sample.cpu.push(used / perRound)
          if (round > 0) sample.rate.push((perRound / took) * 1000)
          samples.set(id, sample)
        }
      }
    }
  } finally {
    for (const { child } of servers) child.disconnect()
  }
  console.log(
    '| 1 KiB, 64 connections | node:http us/request | edge us/request | edge / node:http | op/s node:http | edge |',
  )
  console.log('|---|---|---|---|---|---|')
  for (const verb of ['GET', 'PUT']) {
    const [node, edge] = [samples.get(`${verb} node`), samples.get(`${verb} edge`)]
    if (!node || !edge) throw new Error('nothing was measured: --rounds must be at least 2')
    const [plain, own] = [median(node.cpu), median(edge.cpu)]
    const spread = `${Math.min(...edge.cpu).toFixed(1)} to ${Math.max(...edge.cpu).toFixed(1)}`
    const rates = `${median(node.rate).toFixed(0)} | ${median(edge.rate).toFixed(0)}`
    console.log(
      `| ${verb} | ${plain.toFixed(1)} | ${own.toFixed(1)} (${spread}) | ${(own / plain).toFixed(2)} | ${rates} |`,
    )
  }
}

async function start(name: string): Promise<Server> {
  const profiling = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}/${name}`]
  const child = fork(import.meta.filename, [name], {
    execArgv: ['--disable-warning=ExperimentalWarning', ...profiling],
  })
  const [port] = (await once(child, 'message')) as [number]
  const cpu = async () => {
    child.send('cpu')
    const [used] = (await once(child, 'message')) as [number]
    return used
  }
  return { name, child, port, cpu }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** Each connection asks for a key of its own, again and again; what it says was signed before. */
async function load(sockets: Socket[], port: number, verb: Verb, requests: number): Promise<void> {
  let left = requests
  const lane = async (socket: Socket, at: number) => {
    const said = requestOf(port, verb, `/bench/small/object-${at}`)
    const wanted = await answered(socket, said)
    let got = 0
    await new Promise<void>((resolve, reject) => {
      const next = () => {
        if (left-- <= 0) return resolve()
        got = 0
        socket.write(said)
      }
      socket.on('data', (chunk: Buffer) => {
        if (got === 0 && chunk.toString('latin1', 9, 12) !== '200') reject(new Error(chunk.toString('latin1')))
        got += chunk.length
        if (got >= wanted) next()
      })
      socket.on('close', () => reject(new Error('the server hung up')))
      next()
    })
    socket.removeAllListeners('data')
    socket.removeAllListeners('close')
  }
  // A client that sleeps must be woken by whoever writes to it, which costs the server more than the write.
  let awake = true
  const stayAwake = () => void (awake && setImmediate(stayAwake))
  stayAwake()
  await Promise.all(sockets.map(lane)).finally(() => {
    awake = false
  })
}

/** One answer looked at closely: those that follow have the same length. */
async function answered(socket: Socket, said: Buffer): Promise<number> {
  socket.write(said)
  let text = ''
  while (true) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    text += chunk.toString('latin1')
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1]
    const end = text.indexOf('\r\n\r\n')
    if (!text.startsWith('HTTP/1.1 200')) throw new Error(text)
    if (end !== -1 && text.length === end + 4 + Number(length ?? 0)) return text.length
  }
}

function requestOf(port: number, verb: Verb, path: string): Buffer {
  const bytes = verb === 'PUT' ? body : Buffer.alloc(0)
  const headers = signRequest(
    {
      method: verb,
      url: new URL(path, `http://127.0.0.1:${port}`),
      headers: { 'user-agent': 'aws-sdk-js/3.0', ...(verb === 'PUT' && { 'content-length': '1024' }) },
    },
    key,
    region,
    createHash('sha256').update(bytes).digest('hex'),
    clock.now(),
  )
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`${verb} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), bytes])
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
