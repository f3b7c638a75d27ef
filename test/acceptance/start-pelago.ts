import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CliPorts, runCommand } from '#cli'
import { cliPorts } from '#host'

const root = join(import.meta.dirname, '..', '..')
const own = join(root, 'bin', 'pelago.ts')
const readyMs = 120_000

/** A whole federation in a temporary folder, as `npm start` runs it. */
export type Pelago = {
  s3: string
  /** Of S3, one per gateway where they do not share one. */
  endpoints: string[]
  region: string
  accessKeyId: string
  secretAccessKey: string
  data: string
  pid: number
  /** What it said on its standard error so far. */
  said(): string
  /**
   * Runs a command of the command line against it, in this process: to start one costs many times what a command does.
   * `run` starts one.
   */
  cli(...words: string[]): Promise<{ code: number; out: string; err: string }>
  /** Stops it as Ctrl-C does. @returns its exit code */
  stop(): Promise<number | null>
  /** Stops it and deletes its folder. */
  close(): Promise<void>
}

/** `data`: an existing folder to go on with. `words`: more for `pelago up`. `entry`: what is started in place of its own. */
export type StartOptions = { data?: string; words?: readonly string[]; entry?: string; env?: NodeJS.ProcessEnv }

/** @throws with the sentence that it refuses to start with */
export async function startPelago({ data, words = [], entry = own, env }: StartOptions = {}): Promise<Pelago> {
  const folder = data ?? (await mkdtemp(join(tmpdir(), 'pelago-')))
  const child = spawn(process.execPath, [...flags, entry, 'up', '--data', folder, '--port', '0', '--json', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const facts = await ready(child, () => said)
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const stop = () => {
    child.kill('SIGINT')
    return exited
  }
  return {
    ...facts,
    said: () => said,
    cli: (...words) => runHere([...words, '--data', folder]),
    stop,
    async close() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const flags = ['--disable-warning=ExperimentalWarning']

type Ready = Omit<Pelago, 'said' | 'cli' | 'stop' | 'close'>

function ready(child: ChildProcess, said: () => string): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`Pelago was not ready in time: ${said()}`))
    }, readyMs)
    let out = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      const end = out.indexOf('\n')
      if (end === -1) return
      clearTimeout(timer)
      const facts = JSON.parse(out.slice(0, end)) as Ready & { error?: { message: string } }
      if (facts.error) reject(new Error(facts.error.message))
      else resolve(facts)
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`Pelago ended with ${code}: ${said()}${out}`))
    })
  })
}

/** What a process would print and end with, without one. */
async function runHere(words: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const ports: CliPorts = {
    ...cliPorts,
    out(line) {
      out += `${line}\n`
    },
    err(line) {
      err += `${line}\n`
    },
    async save(file, bytes) {
      if (file !== '-') return cliPorts.save(file, bytes)
      for await (const chunk of bytes) out += Buffer.from(chunk).toString()
    },
  }
  const code = await runCommand(words, ports)
  return { code, out, err }
}

/** Runs a program to its end. @returns exit code and what it said */
export function run(
  program: string,
  words: string[],
  options: { env?: NodeJS.ProcessEnv; input?: string; cwd?: string } = {},
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: options.env ?? process.env,
      cwd: options.cwd,
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), 120_000)
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? -1, out, err })
    })
    child.stdin.on('error', () => 'it does not read')
    child.stdin.end(options.input ?? '')
  })
}
