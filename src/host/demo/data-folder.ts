import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { exactly, fields, integer, optional, text } from '#api'
import { readConfig } from '../run/configuration.ts'
import { hostError } from '../errors.ts'
import { writePrivate, writePrivateJson } from '../disk/write-file.ts'

const markerSchema = fields({ version: integer({ min: 1 }), createdAt: integer({ min: 0 }) })
const format = 1
const neededBytes = 256 * 1024 * 1024
/** Names of a folder that may be there although no Pelago ever was. */
const harmless = new Set(['lost+found', '.DS_Store'])

/** A data folder that this process holds alone. */
export type DataFolder = { path: string; fresh: boolean; release(): void }

/**
 * Takes a data folder, making it when it is missing. Two processes never hold one: the lock is the operating system's, so
 * it ends with the process, however that ends.
 * @throws data.foreign, data.newer, data.denied, data.locked, disk.short
 */
export function takeDataFolder(folder: string, now: number): DataFolder {
  const path = resolve(folder)
  makeFolder(path)
  checkRoom(path)
  const marker = join(path, 'pelago.json')
  const found = readdirSync(path).filter((name) => !harmless.has(name))
  if (!existsSync(marker) && found.some((name) => name !== 'lock' && name !== 'holder')) {
    throw hostError('data.foreign', { folder: path, found: found.slice(0, 3).join(', ') })
  }
  const release = lock(path)
  try {
    const fresh = !existsSync(marker)
    if (fresh) writePrivateJson(marker, { version: format, createdAt: now })
    const { version } = readConfig(marker, markerSchema)
    if (version > format) throw hostError('data.newer', { folder: path, version })
    return { path, fresh, release }
  } catch (error) {
    release()
    throw error
  }
}

function makeFolder(path: string): void {
  try {
    makeLevels(path)
    if (!statSync(path).isDirectory()) throw new Error('it is no folder')
    accessSync(path, constants.W_OK)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw shortOf(path, 0)
    throw hostError('data.denied', { folder: path, reason }, error)
  }
}

/** Level by level: the recursive form tries for ever where a folder is there but says it is not, as /proc does. */
function makeLevels(path: string): void {
  if (existsSync(path)) return
  makeLevels(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

function lock(path: string): () => void {
  const database = new DatabaseSync(join(path, 'lock'), { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw hostError('data.locked', { folder: path, holder: holderOf(path) }, error)
  }
  writePrivate(join(path, 'holder'), `process ${process.pid}`)
  return () => database.close()
}

function holderOf(path: string): string {
  const file = join(path, 'holder')
  return existsSync(file) ? readFileSync(file, 'utf8') : 'another process'
}

function checkRoom(path: string): void {
  const { bavail, bsize } = statfsSync(path)
  if (bavail * bsize < neededBytes) throw shortOf(path, bavail * bsize)
}

function shortOf(folder: string, free: number) {
  const mib = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`
  return hostError('disk.short', { folder, free: mib(free), needed: mib(neededBytes) })
}

/** Deletes what Pelago put into a data folder. It must not be held by anybody. @throws data.absent, data.locked */
export function resetDataFolder(folder: string): void {
  const path = resolve(folder)
  if (!existsSync(join(path, 'pelago.json'))) throw hostError('data.absent', { folder: path })
  lock(path)()
  for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true })
}

/** Where a running Pelago is reached: written by `up`, read by every other command. */
export const runSchema = fields({
  version: exactly(1),
  pid: integer(),
  ports: fields({ supervisor: integer(), gateway: integer(), federation: integer(), s3: integer() }),
  /** Where S3 speaks TLS: whom its certificate is for, and the file of who is to be trusted for it. */
  secure: optional(fields({ name: text({ min: 1, max: 253 }), trust: optional(text({ min: 1, max: 4096 })) })),
  /** The federation answers by TLS, with a certificate of this authority. */
  authorityFile: optional(text({ min: 1, max: 4096 })),
})
