import type { Disk, NewFile } from './disk.ts'

/** Syncs that are counted, and shared where they can be. */
export type GroupedSync = {
  file(file: NewFile): Promise<void>
  /** Resolves after a sync of this directory that began after the call. */
  directory(path: string): Promise<void>
  count(): number
}

/**
 * Everybody who wants the same directory synced while a sync of it runs shares the next one: under load one sync serves
 * many, and a lone one never waits.
 */
export function openGroupedSync(disk: Disk): GroupedSync {
  const running = new Map<string, Promise<void>>()
  const next = new Map<string, Promise<void>>()
  let count = 0

  const begin = (path: string): Promise<void> => {
    count++
    const sync = disk.syncDirectory(path).finally(() => running.delete(path))
    running.set(path, sync)
    return sync
  }
  return {
    async file(file) {
      count++
      await file.sync()
    },
    directory(path) {
      const now = running.get(path)
      if (!now) return begin(path)
      const shared = next.get(path)
      if (shared) return shared
      const after = now.then(
        () => undefined,
        () => undefined,
      )
      const following = after.then(() => {
        next.delete(path)
        return begin(path)
      })
      next.set(path, following)
      return following
    },
    count: () => count,
  }
}
