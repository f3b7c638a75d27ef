/** Processes of the bench, and what processes use: CPU and memory as the kernel counts them. */
import { fork, type Serializable } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'

/** Linux counts the CPU of a process in hundredths of a second for everybody who asks. */
const tickMs = 10

/** A process of this folder, which is asked one thing at a time and ends with this one. */
export type Helper = {
  pid: number
  /** Sends something, if anything, and waits for what comes back. Rejects when the process ends instead. */
  ask(word?: Serializable): Promise<unknown>
  close(): void
}

/** Starts a file of this folder as a process of its own. */
export function startHelper(file: string, words: string[] = []): Helper {
  const child = fork(join(import.meta.dirname, file), words, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    // A Ctrl-C is for whoever reads it; a helper ends when it is let go.
    detached: true,
  })
  return {
    pid: child.pid as number,
    async ask(word) {
      if (!child.connected) throw new Error(`${file} has ended`)
      const over = new AbortController()
      const ended = once(child, 'exit', { signal: over.signal }).then(([code]) => {
        throw new Error(`${file} ended with ${String(code)}`)
      })
      const answered = once(child, 'message', { signal: over.signal })
      if (word !== undefined) child.send(word)
      try {
        const [answer] = (await Promise.race([answered, ended])) as [unknown]
        return answer
      } finally {
        over.abort()
      }
    },
    close: () => child.connected && child.disconnect(),
  }
}

/** CPU that a process has used so far (ms); undefined where the kernel does not say. */
export function cpuOf(pid: number): number | undefined {
  const text = read(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  // The name of the program stands in brackets and may hold anything.
  const words = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(words[11]) + Number(words[12])) * tickMs
}

/** The most memory that a process has held at a time (bytes); undefined where the kernel does not say. */
export function peakMemoryOf(pid: number): number | undefined {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')
  return line ? Number(line[1]) * 1024 : undefined
}

/** CPU of all processes together; processes that are gone count nothing. */
export function cpuOfAll(pids: readonly number[]): number | undefined {
  const known = pids.map(cpuOf).filter((ms) => ms !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, ms) => sum + ms, 0)
}

/** CPU that the whole machine has used so far (ms). */
export function machineCpu(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
