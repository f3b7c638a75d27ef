import type { KeptHead } from '#journal'

/** A file beside the database, in memory. */
export function memoryHead(): KeptHead & { note: string | undefined; restored: string | undefined } {
  const kept = {
    note: undefined as string | undefined,
    restored: undefined as string | undefined,
    file: 'log-head',
    load: async () => kept.note,
    save: async (note: string) => void (kept.note = note),
    loadRestored: async () => kept.restored,
    dropRestored: async () => void (kept.restored = undefined),
  }
  return kept
}
