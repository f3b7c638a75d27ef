import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseHead } from '#journal'

/** A log that is about to be deleted with its data folder. */
export type LostLog = { about: string; size: number; root: string }

/** What the last heads say of the logs in a data folder, so that the next log can say what was deleted. */
export function logsIn(data: string): LostLog[] {
  const places = {
    gateway: 'gateway/log-head-gateway',
    supervisor: 'supervisor/log-head',
    federation: 'federation/log-head',
  }
  return Object.entries(places).flatMap(([about, place]) => {
    const file = join(resolve(data), place)
    const head = existsSync(file) ? parseHead(readFileSync(file, 'utf8')) : undefined
    return head ? [{ about, size: head.size, root: Buffer.from(head.root).toString('hex') }] : []
  })
}
