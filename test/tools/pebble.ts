import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../src/host/http/free-port.ts'
import { openOwnAuthority } from './own-authority.ts'

/** How to get one where there is none. */
export const pebbleMissing =
  'pebble is not installed; enable with: go install github.com/letsencrypt/pebble/v2/cmd/pebble@latest'

/** The test authority of Let's Encrypt: in the PATH, or where Go puts programs. @returns undefined where there is none */
export function findPebble(): string | undefined {
  if (spawnSync('pebble', ['-version']).error === undefined) return 'pebble'
  const installed = join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin', 'pebble')
  return existsSync(installed) ? installed : undefined
}

export type Pebble = {
  directory: string
  /** File of who issued the certificate of the directory. */
  caFile: string
  /** What clients of its certificates are to trust, PEM. */
  root(): Promise<string>
  said(): string
  close(): Promise<void>
}

/** Runs it. It finds every name on this machine, and asks for proofs at these ports. */
export async function startPebble(program: string, ports: { tlsPort: number; httpPort: number }): Promise<Pebble> {
  const folder = mkdtempSync(join(tmpdir(), 'pelago-pebble-'))
  const authority = await openOwnAuthority()
  const own = await authority.issue(['127.0.0.1', 'localhost'])
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const taken = new Set<number>()
  const api = await freePort('127.0.0.1', 21_000, taken)
  taken.add(api)
  const management = await freePort('127.0.0.1', 21_000, taken)
  const dns = await startDns()
  const config = file(
    'pebble.json',
    JSON.stringify({
      pebble: {
        ...{ listenAddress: `127.0.0.1:${api}`, managementListenAddress: `127.0.0.1:${management}` },
        ...{ certificate: file('own.pem', own.chain), privateKey: file('own-key.pem', own.key), ...ports },
        profiles: { default: { description: 'usual', validityPeriod: 7_776_000 } },
      },
    }),
  )
  const child = spawn(program, ['-config', config, '-dnsserver', `127.0.0.1:${dns.port}`, '-strict'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '20' },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    ...{ directory: `https://127.0.0.1:${api}/dir`, caFile: file('ca.pem', authority.root), said: () => said },
    root: () => ask(`https://127.0.0.1:${management}/roots/0`, authority.root),
    async close() {
      child.kill('SIGTERM')
      await gone
      dns.close()
      rmSync(folder, { recursive: true })
    },
  }
}

function ask(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}

/** Answers every question for an address with this machine's, and every other one with nothing (RFC 1035, over TCP). */
async function startDns(): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => {
    let seen = Buffer.alloc(0)
    socket.on('error', () => 'it has what it wanted')
    socket.on('data', (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk])
      for (let end = lengthOf(seen); end !== undefined; end = lengthOf(seen)) {
        const answer = answerTo(seen.subarray(2, end))
        const length = Buffer.alloc(2)
        length.writeUInt16BE(answer.length)
        socket.write(Buffer.concat([length, answer]))
        seen = seen.subarray(end)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() }
}

/** Where the first message ends, if it is there. */
function lengthOf(seen: Buffer): number | undefined {
  const end = seen.length < 2 ? Number.POSITIVE_INFINITY : 2 + seen.readUInt16BE(0)
  return end <= seen.length ? end : undefined
}

function answerTo(query: Buffer): Buffer {
  let end = 12
  while (end < query.length && query[end] !== 0) end += (query[end] ?? 0) + 1
  const question = query.subarray(12, end + 5)
  const isA = question.readUInt16BE(question.length - 4) === 1
  const head = Buffer.from(query.subarray(0, 12))
  head.writeUInt16BE(0x8180, 2)
  for (const [at, count] of [1, isA ? 1 : 0, 0, 0].entries()) head.writeUInt16BE(count, 4 + 2 * at)
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1])
  return Buffer.concat([head, question, ...(isA ? [answer] : [])])
}
