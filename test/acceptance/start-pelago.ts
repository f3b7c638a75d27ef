import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const own = join(root, 'bin', 'pelago.ts')
const readyMs = 60_000

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
  /** Runs a command of the command line against it. */
  cli(...words: string[]): Promise<{ code: number; out: string; err: string }>
  /** Stops it as Ctrl-C does. @returns its exit code */
  stop(): Promise<number | null>
  /** Stops it and deletes its folder. */
  close(): Promise<void>
}

/** `data`: an existing folder to go on with. `words`: more for `pelago up`. `entry`: what is started in place of its own. */
export type StartOptions = { data?: string; words?: readonly string[]; entry?: string; env?: NodeJS.ProcessEnv }

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
    cli: (...words) => run(process.execPath, [...flags, own, ...words, '--data', folder]),
    stop,
    async close() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const flags = ['--disable-warning=ExperimentalWarning']

function ready(child: ChildProcess, said: () => string): Promise<Omit<Pelago, 'said' | 'cli' | 'stop' | 'close'>> {
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
      resolve(JSON.parse(out.slice(0, end)) as Omit<Pelago, 'said' | 'cli' | 'stop' | 'close'>)
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`Pelago ended with ${code}: ${said()}${out}`))
    })
  })
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
