import { close, constants, fsync, open as openDescriptor, renameSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type Disk, type DiskFile, type NewFile, storageError } from '#storage'
import { type AtOnce, openAtOnce } from './disk-at-once.ts'
import { type OpenFile, openFile, openFileNow } from './open-file.ts'
import { directBytes, isPaged } from './pages.ts'
import { openPastCache, type PastCache } from './past-cache.ts'

/** Folders that are kept open, because each is synced again and again. They are as many as the first two digits of a name. */
const foldersOpen = 300
/** How long a look at the free space stays good; it is asked for with every shard. */
const freeMs = 1000
/** Up to so many bytes are written at once: copying more into the system's cache takes longer than the way to another thread. */
const shortBytes = 64 * 1024

const openFolder = promisify(openDescriptor)
const syncOpen = promisify(fsync)
const closeFolder = promisify(close)

/** A folder of this machine as a provider's disk. */
export function openDisk(path: string): Disk {
  const root = resolve(path)
  let free = { bytes: 0, at: Number.NEGATIVE_INFINITY }
  const folders = new Map<string, Promise<number>>()
  /** Folders whose entry, and that of every one above them, this process has synced. */
  const lasting = new Set<string>()
  const pastCache = openPastCache()
  const atOnce = openAtOnce()
  const forget = async (path: string) => {
    const folder = await folders.get(path)
    folders.delete(path)
    lasting.delete(join(root, path))
    if (folder !== undefined) await closeFolder(folder)
  }
  const disk: Disk = {
    async create(path) {
      const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY
      const whole = join(root, path)
      const opened = atOnce(
        () => openFileNow(whole, flags, 0o600),
        () => openFile(whole, flags, 0o600),
      )
      return newFile(await mended(opened, path), whole, { pastCache, atOnce })
    },
    async open(path) {
      try {
        const whole = join(root, path)
        return openedFile(await openFile(whole, 'r'), whole, pastCache, atOnce)
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined
        throw error
      }
    },
    rename(from, to) {
      const [source, target] = [join(root, from), join(root, to)]
      const renamed = atOnce(
        () => renameSync(source, target),
        () => rename(source, target),
      )
      return mended(renamed, to)
    },
    async remove(path) {
      try {
        await rm(join(root, path), { force: true })
      } catch (error) {
        if (codeOf(error) !== 'ERR_FS_EISDIR' && codeOf(error) !== 'EISDIR') throw error
        await forget(path)
        await rmdir(join(root, path))
      }
    },
    async makeDirectory(path) {
      const whole = join(root, path)
      await mended(mkdir(whole, { recursive: true, mode: 0o700 }), path)
      // Each folder's entry is in its parent, up to the one that holds the root. They are synced also when they were there
      // before: whoever made them may have died before it did.
      const made: string[] = []
      for (let folder = whole; folder.length >= root.length && !lasting.has(folder); folder = dirname(folder)) {
        await (folder === root ? syncAbove(root) : syncFolder(dirname(folder)))
        made.push(folder)
      }
      for (const folder of made) lasting.add(folder)
    },
    async list(path) {
      try {
        return (await readdir(join(root, path))).sort((a, b) => (a < b ? -1 : 1))
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return []
        throw error
      }
    },
    async syncDirectory(path) {
      let folder = folders.get(path)
      if (!folder) {
        if (folders.size >= foldersOpen) return syncFolder(join(root, path))
        folder = openFolder(join(root, path), 'r')
        folders.set(path, folder)
        folder.catch(() => folders.delete(path))
      }
      await syncOpen(await folder)
    },
    async freeBytes() {
      if (performance.now() - free.at > freeMs) {
        const { bavail, bsize } = await statfs(root)
        free = { bytes: bavail * bsize, at: performance.now() }
      }
      return free.bytes
    },
  }
  return disk
}

/**
 * A new file. Whole pages of a large one go past the system's cache: filling the cache costs more than the write itself where
 * memory is fresh, and what is written here is seldom read at once. The rest, and everything where the file system has no
 * such way, goes through the cache. Durable is both only after the sync.
 */
function newFile(
  handle: OpenFile,
  path: string,
  { pastCache, atOnce }: { pastCache: PastCache; atOnce: AtOnce },
): NewFile {
  let written = 0
  let direct: OpenFile | undefined
  let asked = false
  const writeShort = (to: OpenFile, bytes: Uint8Array) =>
    atOnce(
      () => to.writeNow(bytes, written),
      () => to.write(bytes, written),
    )
  const writeAll = async (to: OpenFile, bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      const rest = bytes.subarray(at)
      const writing = rest.length > shortBytes ? to.write(rest, written) : writeShort(to, rest)
      const bytesWritten = await mended(writing, '')
      at += bytesWritten
      written += bytesWritten
      // What is left no longer fits the pages.
      if (to === direct && bytesWritten % directBytes !== 0) return writeAll(handle, bytes.subarray(at))
    }
  }
  return {
    async write(bytes) {
      const fits = written % directBytes === 0 && isPaged(bytes)
      if (fits && !asked) {
        asked = true
        direct = await pastCache.open(path, constants.O_WRONLY)
      }
      if (!fits || !direct) return writeAll(handle, bytes)
      try {
        await writeAll(direct, bytes)
      } catch (error) {
        if (codeOf(error) !== 'EINVAL') throw error
        pastCache.refused()
        await direct.close()
        direct = undefined
        await writeAll(handle, bytes)
      }
    },
    sync: () => mended(handle.datasync(), ''),
    async close() {
      await Promise.all([handle.close(), direct?.close()])
    },
  }
}

/** A file that is read. Whole pages that nobody read lately leave the system's cache to what is read again and again. */
function openedFile(handle: OpenFile, path: string, pastCache: PastCache, atOnce: AtOnce): DiskFile {
  let direct: OpenFile | undefined
  let asked = false
  const readAll = async (from: OpenFile, offset: number, into: Uint8Array, hot: boolean) => {
    let got = 0
    while (got < into.length) {
      const [rest, at] = [into.subarray(got), offset + got]
      // What was read lately is in the system's memory, and copied sooner than another thread is told to.
      const bytesRead = await (hot
        ? atOnce(
            () => from.readNow(rest, at),
            () => from.read(rest, at),
          )
        : from.read(rest, at))
      got += bytesRead
      // Past the cache a read that is no whole number of pages has met the end.
      if (bytesRead === 0 || (from === direct && bytesRead % directBytes !== 0)) break
    }
    return got
  }
  return {
    async read(offset, into) {
      const paged = offset % directBytes === 0 && isPaged(into)
      const hot = paged && pastCache.isHot(path, offset)
      const fits = paged && !hot
      if (fits && !asked) {
        asked = true
        direct = await pastCache.open(path, constants.O_RDONLY)
      }
      if (!fits || !direct) return readAll(handle, offset, into, hot)
      try {
        return await readAll(direct, offset, into, false)
      } catch (error) {
        if (codeOf(error) !== 'EINVAL') throw error
        pastCache.refused()
        await direct.close()
        direct = undefined
        return readAll(handle, offset, into, false)
      }
    },
    size: async () => handle.size(),
    sync: () => handle.datasync(),
    async close() {
      await Promise.all([handle.close(), direct?.close()])
    },
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Somebody who may not look into the folder above has not made an entry in it either. */
async function syncAbove(root: string): Promise<void> {
  try {
    await syncFolder(dirname(root))
  } catch (error) {
    if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EPERM') throw error
  }
}

async function mended<T>(action: Promise<T>, path: string): Promise<T> {
  try {
    return await action
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST') throw storageError('disk.exists', { path }, error)
    if (code === 'ENOSPC' || code === 'EDQUOT') throw storageError('disk.full', {}, error)
    throw error
  }
}

const codeOf = (error: unknown) => (error as { code?: string }).code
