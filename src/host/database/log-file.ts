import { open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A file that somebody else writes and that is synced here. */
export type LogFile = { sync(): Promise<void>; close(): Promise<void> }

/**
 * Opens the write-ahead log beside a database for syncing. It stays the same file while a connection is open, and SQLite
 * holds no lock on it that closing our handle could take away: that is so for this file only, never for the other two.
 */
export async function openLogFile(database: string): Promise<LogFile> {
  const handle = await open(`${database}-wal`, 'r+')
  const folder = await open(dirname(database), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
  return { sync: () => handle.datasync(), close: () => handle.close() }
}

export type LogSync = {
  /**
   * Resolves after a sync that began after the call. Who comes while one runs shares the next one.
   * @throws what the file system said, now and for ever: what an unsuccessful sync has lost no later one brings back
   */
  sync(): Promise<void>
  /** The sync that covers all that was written so far; undefined when that is on the disk already. */
  owed(): Promise<void> | undefined
  close(): Promise<void>
}

export function openLogSync(file: LogFile): LogSync {
  let running: Promise<void> | undefined
  let following: Promise<void> | undefined
  const begin = (): Promise<void> => {
    following = undefined
    running = file.sync().then(() => {
      running = undefined
    })
    return running
  }
  return {
    sync() {
      if (!running) return begin()
      following ??= running.then(begin)
      return following
    },
    owed: () => following ?? running,
    async close() {
      await (following ?? running)?.catch(() => undefined)
      await file.close()
    },
  }
}
