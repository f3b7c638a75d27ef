import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { keepPrivate, writePrivateJson } from '../disk/write-file.ts'
import { hostError } from '../errors.ts'

/** The folder of one role: configuration, keys, state. What a command writes into it belongs to whom the folder belongs to. */
export function openRoleFolder(path: string, role: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const found = roleIn(path)
  if (found !== undefined && found !== role) throw hostError('folder.role', { folder: path, found, role })
  // The folder of `pelago up` holds roles in folders of their own.
  if (existsSync(join(path, 'pelago.json'))) throw hostError('folder.role', { folder: path, found: 'pelago up', role })
}

/** The role whose folder it is; undefined where there is no configuration yet. */
export function roleIn(path: string): string | undefined {
  const file = join(path, 'config.json')
  if (!existsSync(file)) return undefined
  const { role } = readJson(file)
  return typeof role === 'string' ? role : 'unknown'
}

/** Writes the configuration: `usual` where nothing was said yet, `now` in any case. What somebody has written by hand stays. */
export function writeConfiguration(path: string, usual: Record<string, unknown>, now: Record<string, unknown>): void {
  const file = join(path, 'config.json')
  const kept = existsSync(file) ? readJson(file) : {}
  writePrivateJson(file, { ...usual, ...kept, ...now })
}

/** Puts keys aside, so that new ones are made; the old ones stay readable under another name. */
export function setKeysAside(path: string, names: readonly string[], now: number): void {
  for (const name of names) {
    const file = join(path, name)
    if (existsSync(file)) renameSync(file, `${file}.${new Date(now).toISOString().replace(/[:.]/g, '-')}`)
  }
}

/** The token by which commands on this machine ask the role. */
export function keepToken(file: string): void {
  keepPrivate(file, () => `${randomBytes(32).toString('hex')}\n`)
}

/**
 * Under root, gives what was written to the owner of the folder: the role runs as that user.
 * @param inner a folder in it that was written into
 */
export function giveToOwner(path: string, inner?: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(path)
  if (uid === 0) return
  const folders = [path, ...(inner === undefined ? [] : [join(path, inner)])]
  for (const folder of folders)
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isFile() || entry.name === inner) chownSync(join(folder, entry.name), uid, gid)
}

function readJson(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  } catch (error) {
    throw hostError('data.damaged', { file, reason: error instanceof Error ? error.message : String(error) }, error)
  }
}
