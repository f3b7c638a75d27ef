import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock, Log, LogLevel } from '#kernel'

/** A log that can be closed. */
export type OpenLog = {
  log: Log
  /** From now on lines below `level` are not written, and lines of a request that is traced say of which. */
  watch(by: { level?: LogLevel | undefined; traceId?: (() => string | undefined) | undefined }): void
  close: () => void
}

const levels: readonly LogLevel[] = ['info', 'warn', 'error']

const rotateBytes = 8 * 1024 * 1024
/** Names that promise a secret. Facts must hold none; this is the second line of defence. */
const secretName = /secret|token|password|privatekey|private_key|authorization|cookie/i
const longestFact = 2000
const longestLine = 16_000

/**
 * Writes one JSON object per line: `time` (ISO 8601), `level`, `event`, `traceId` where there is one, then the facts.
 * @param to a file, which is kept below 8 MiB with one older file beside it (`.1`), or `stderr`
 */
export function openLog(clock: Clock, to: { file: string } | 'stderr'): OpenLog {
  let least = 0
  let traceId: () => string | undefined = () => undefined
  const textOf = (...line: Parameters<Log>) =>
    levels.indexOf(line[0]) < least ? undefined : lineOf(clock, traceId(), ...line)
  const watch: OpenLog['watch'] = (by) => {
    least = levels.indexOf(by.level ?? 'info')
    traceId = by.traceId ?? traceId
  }
  if (to === 'stderr')
    return { log: (...line) => void process.stderr.write(textOf(...line) ?? ''), watch, close: () => {} }
  mkdirSync(dirname(to.file), { recursive: true })
  let descriptor = openSync(to.file, 'a', 0o600)
  let size = fstatSync(descriptor).size
  let open = true
  const rotate = () => {
    closeSync(descriptor)
    renameSync(to.file, `${to.file}.1`)
    descriptor = openSync(to.file, 'a', 0o600)
    size = 0
  }
  return {
    log(...line) {
      if (!open) return
      const text = textOf(...line)
      if (text === undefined) return
      try {
        if (size > rotateBytes) rotate()
        size += writeSync(descriptor, text)
      } catch (error) {
        // A full disk must not stop the work that is being logged; the supervisor still sees the line.
        process.stderr.write(text)
        process.stderr.write(`The log ${to.file} cannot be written: ${String(error)}\n`)
      }
    },
    watch,
    close() {
      if (open) closeSync(descriptor)
      open = false
    },
  }
}

function lineOf(clock: Clock, traceId: string | undefined, ...[level, event, facts]: Parameters<Log>): string {
  const time = new Date(clock.now()).toISOString()
  const line: Record<string, string | number | boolean> = {
    time,
    level,
    event,
    ...(traceId !== undefined && { traceId }),
  }
  for (const [name, value] of Object.entries(facts ?? {})) {
    if (secretName.test(name)) line[name] = '(withheld)'
    else
      line[name] = typeof value === 'string' && value.length > longestFact ? `${value.slice(0, longestFact)}…` : value
  }
  const text = JSON.stringify(line)
  if (text.length <= longestLine) return `${text}\n`
  return `${JSON.stringify({ time, level, event, cut: text.length })}\n`
}
