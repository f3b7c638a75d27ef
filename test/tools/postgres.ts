import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const debian = '/usr/lib/postgresql'
const readyMs = 60_000

/** The newest PostgreSQL server that Debian installed here. */
export function findPostgres(): string | undefined {
  if (!existsSync(debian)) return undefined
  return readdirSync(debian)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(debian, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')))
}

export type PostgresServer = {
  /** Without the password. */
  url: string
  port: number
  /** The server's process and those that it has started, for whoever wants to stop or end them. */
  pids(): number[]
  /** Ends it and what it has started at once, as a crash does. */
  kill(): void
  /** Starts it again after it was killed; it recovers what was committed. */
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * A private PostgreSQL server on a free port of loopback, with its data in a temporary folder. It refuses root, so root
 * becomes `postgres`.
 * @param password what the server asks for; nothing without
 */
export async function startPostgres({ password }: { password?: string } = {}): Promise<PostgresServer> {
  const bin = findPostgres()
  if (bin === undefined) throw new Error('PostgreSQL is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'pelago-postgres-'))
  const root = process.getuid?.() === 0
  const user = root ? idsOf('postgres') : undefined
  if (user) chownSync(folder, user.uid, user.gid)
  const as = { cwd: folder, ...user }
  const secret = join(folder, 'password')
  if (password !== undefined) writeFileSync(secret, password)
  const asking = password === undefined ? ['-A', 'trust'] : ['-A', 'scram-sha-256', `--pwfile=${secret}`]
  const data = join(folder, 'data')
  const words = ['-D', data, '-U', 'pelago', ...asking, '-E', 'UTF8', '--no-locale', '--no-sync']
  const made = spawnSync(join(bin, 'initdb'), words, { ...as, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  const port = await freePort()
  let server: ChildProcess
  const start = async () => {
    server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder], {
      ...as,
      stdio: 'ignore',
    })
    const end = performance.now() + readyMs
    while (spawnSync(join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]).status !== 0) {
      if (performance.now() > end || server.exitCode !== null) throw new Error('PostgreSQL did not start')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  await start()
  const pids = () => (server.pid === undefined ? [] : [server.pid, ...childrenOf(server.pid)])
  return {
    url: `postgres://pelago@127.0.0.1:${port}/postgres`,
    port,
    pids,
    kill() {
      // Those that it has started first: alone, they would end in order.
      for (const pid of pids().toReversed()) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch (error) {
          // Some end by themselves meanwhile.
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
        }
      }
    },
    start,
    async stop() {
      const gone = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGINT')
      if (server.exitCode === null && server.signalCode === null) await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const [, of] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(of) === parent ? [Number(name)] : []
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}

function idsOf(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim())
  return { uid: id('-u'), gid: id('-g') }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
