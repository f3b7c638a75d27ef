import { constants } from 'node:fs'
import { type OpenFile, openFile } from './open-file.ts'

/** Pieces of files that are remembered to have been read once. */
const remembered = 16_384

/** Files opened past the system's cache (O_DIRECT), where system and file system can. */
export type PastCache = {
  /** @param access of `constants`, O_RDONLY or O_WRONLY. @returns undefined where there is no such way */
  open(path: string, access: number): Promise<OpenFile | undefined>
  /** The file system opens files so, but does not read or write them so: it is not tried again. */
  refused(): void
  /** Whether this piece of a file was read lately, so that the next read of it may well fill the cache. */
  isHot(path: string, offset: number): boolean
}

export function openPastCache(): PastCache {
  // macOS has no such flag.
  const flag = process.platform === 'linux' ? constants.O_DIRECT : 0
  let can = flag !== 0
  const seen = new Set<string>()
  return {
    async open(path, access) {
      if (!can) return undefined
      try {
        return await openFile(path, access | flag)
      } catch (error) {
        if ((error as { code?: string }).code !== 'EINVAL') throw error
        can = false
        return undefined
      }
    },
    refused() {
      can = false
    },
    isHot(path, offset) {
      const piece = `${path}:${offset}`
      if (seen.delete(piece)) {
        seen.add(piece)
        return true
      }
      seen.add(piece)
      const [oldest] = seen
      if (seen.size > remembered && oldest !== undefined) seen.delete(oldest)
      return false
    },
  }
}
