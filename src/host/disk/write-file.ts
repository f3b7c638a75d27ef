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
  writePrivate(file, `${JSON.stringify(value, null, 2)}\n`)
}

/** Writes a file unless it is there already. */
export function keepPrivate(file: string, make: () => string | Uint8Array): void {
  if (!existsSync(file)) writePrivate(file, make())
}
