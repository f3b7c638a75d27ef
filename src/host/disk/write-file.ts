import {
  closeSync,
  existsSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes a file for one user alone, whole or not at all, synced with its directory entry. A file that is there keeps its
 * owner: root may write what a role's own user reads.
 */
export function writePrivate(file: string, content: string | Uint8Array): void {
  write(file, content, 0o600)
}

/** The same for what everybody may read. */
export function writePublic(file: string, content: string | Uint8Array): void {
  write(file, content, 0o644)
}

/**
 * As `writePrivate`, without anybody waiting for the disk: for processes that serve. Who saves one file again waits for the time before.
 */
export async function savePrivate(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}.new`
  const fresh = await open(temporary, 'w', 0o600)
  try {
    await fresh.writeFile(content)
    const before = await stat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (before && before.uid !== process.getuid?.()) await fresh.chown(before.uid, before.gid)
    await fresh.sync()
  } finally {
    await fresh.close()
  }
  await rename(temporary, file)
  const folder = await open(dirname(file), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function write(file: string, content: string | Uint8Array, mode: number): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}.new`
  const descriptor = openSync(temporary, 'w', mode)
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
    const before = statSync(file, { throwIfNoEntry: false })
    if (before && before.uid !== process.getuid?.()) fchownSync(descriptor, before.uid, before.gid)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, file)
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

export function writePrivateJson(file: string, value: unknown): void {
  writePrivate(file, jsonText(value))
}

/** As `savePrivate` does it. */
export async function savePrivateJson(file: string, value: unknown): Promise<void> {
  await savePrivate(file, jsonText(value))
}

const jsonText = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** Writes a file unless it is there already. */
export function keepPrivate(file: string, make: () => string | Uint8Array): void {
  if (!existsSync(file)) writePrivate(file, make())
}
