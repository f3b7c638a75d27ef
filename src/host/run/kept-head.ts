import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { KeptHead } from '#journal'
import { writePrivate } from '../disk/write-file.ts'

/** Keeps the last signed head of the log in a file beside the database. */
export function openKeptHead(file: string): KeptHead {
  const restored = `${file}.restored`
  const load = (from: string) => (existsSync(from) ? readFileSync(from, 'utf8') : undefined)
  return {
    file,
    load: async () => load(file),
    save: async (note) => writePrivate(file, note),
    loadRestored: async () => load(restored),
    dropRestored: async () => rmSync(restored, { force: true }),
  }
}
