/**
 * Starts Pelago's own entry with an eye on its loop. A gateway that is told where (`PELAGO_LOOP_REPORT`) writes down how much
 * CPU each turn of its loop took, and each call that waits for the disk on this thread. CPU and not time, because a busy
 * machine takes a thread away for longer than any turn lasts.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const report = process.env.PELAGO_LOOP_REPORT
const gateway = process.argv.some((word) => word.includes('gateway'))
/** Turns that took less are not worth a line, milliseconds. */
const worthMs = 2

if (report !== undefined && gateway) watch(report)
await import('../../bin/pelago.ts')

function watch(file: string): void {
  const descriptor = fs.openSync(file, 'a')
  const write = fs.writeSync
  const say = (line: object) => write(descriptor, `${JSON.stringify(line)}\n`)
  const calls = fs as unknown as Record<string, unknown>
  for (const [name, call] of Object.entries(calls)) {
    // A line of log goes into the system's memory and waits for nothing.
    if (!name.endsWith('Sync') || name === 'writeSync' || typeof call !== 'function') continue
    calls[name] = function waits(this: unknown, ...words: unknown[]) {
      say({ waits: name })
      return call.apply(this, words) as unknown
    }
  }
  syncBuiltinESMExports()
  const used = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  let before = used()
  // A timer is looked at once in each turn.
  setInterval(() => {
    const now = used()
    if (now - before > worthMs) say({ cpuMs: now - before })
    before = used()
  }, 1).unref()
}
