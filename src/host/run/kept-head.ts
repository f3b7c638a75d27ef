import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { KeptHead } from '#journal'
import { savePrivate } from '../disk/write-file.ts'

/** Keeps the last signed head of the log in a file beside the database. */
export function openKeptHead(file: string): KeptHead {
  const restored = `${file}.restored`
  const load = (from: string) => (existsSync(from) ? readFileSync(from, 'utf8') : undefined)
  /** One after the other: an older head must not take the place of a newer one. */
  let last: Promise<unknown> = Promise.resolve()
  return {
    file,
    load: async () => load(file),
    save(note) {
      const saved = last.then(() => savePrivate(file, note))
      // Whoever asked hears of a failure; the next one is tried all the same.
      last = saved.catch(() => 'heard by who asked')
      return saved
    },
    loadRestored: async () => load(restored),
    dropRestored: async () => rmSync(restored, { force: true }),
  }
}
