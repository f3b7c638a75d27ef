/** Processes of the bench, and what processes use: CPU and memory as the kernel counts them. */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'

/** Linux counts the CPU of a process in hundredths of a second for everybody who asks. */
const tickMs = 10

/** Starts a file of this folder as a process that ends with this one. */
export function startProcess(file: string, words: string[] = []): ChildProcess {
  return fork(join(import.meta.dirname, file), words, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
  })
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
