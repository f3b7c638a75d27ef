import type { Disk, DiskFile } from '../disk.ts'
import { openBundleFile } from './bundle-files.ts'

/** Bundles that are open for reads. */
export type OpenFiles = {
  /** @returns undefined when there is no such bundle */
  use<T>(bundle: number, act: (file: DiskFile) => Promise<T>): Promise<T | undefined>
  /** Opens it no more; who still reads it keeps what is open. */
  forget(bundle: number): Promise<void>
}

type Entry = { file: Promise<DiskFile | undefined>; readers: number; kept: boolean }

/** Files that stay open, for the next reader: the least recently used is closed when there are too many. */
const openMost = 64

export function openFiles(disk: Disk): OpenFiles {
  const entries = new Map<number, Entry>()
  const drop = async (bundle: number, entry: Entry) => {
    if (entries.get(bundle) === entry) entries.delete(bundle)
    entry.kept = false
    if (entry.readers === 0) await (await entry.file)?.close()
  }
  return {
    async use(bundle, act) {
      const entry = entries.get(bundle) ?? { file: openBundleFile(disk, bundle), readers: 0, kept: true }
      entries.delete(bundle)
      entries.set(bundle, entry)
      const [oldest] = entries
      if (oldest && entries.size > openMost) await drop(...oldest)
      entry.readers++
      try {
        const file = await entry.file
        return file && (await act(file))
      } catch (error) {
        entries.delete(bundle)
        entry.kept = false
        throw error
      } finally {
        entry.readers--
        if (!entry.kept && entry.readers === 0) await (await entry.file.catch(() => undefined))?.close()
      }
    },
    async forget(bundle) {
      const entry = entries.get(bundle)
      if (entry) await drop(bundle, entry)
    },
  }
}
