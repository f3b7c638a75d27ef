import type { Clock, Random } from '#kernel'
import { type Disk, type DiskFile, type NewFile, storageError } from '#storage'

/** `at`: where it is now; undefined once it was removed. */
type Inode = { bytes: Uint8Array; length: number; synced: number; at: { folder: Folder; name: string } | undefined }
type Folder = { now: Map<string, Inode>; durable: Map<string, Inode> }

export type DiskFaults = {
  /** Longest delay of one operation, milliseconds of the port's clock; 0 for none. */
  delayMs: number
  capacityBytes: number
  /** Syncs that answer but do nothing, as a disk with a lying cache does. */
  lieAboutSync: boolean
  /** Chance that an operation fails with EIO and nothing is done. */
  failing: number
}

/**
 * A disk in memory that loses what was not synced. File data behind the last sync may be gone or torn after a crash;
 * directory entries that were not synced may be there or not, each for itself; only a rename never loses both.
 */
export type MemoryDisk = {
  /** The disk as a process of now sees it; after a crash its operations never answer. */
  connect(): Disk
  crash(): void
  /** Whole contents of all files, by path, as they would be read now. */
  files(): Map<string, Uint8Array>
  /** Whether a file would be there, whole, after a crash now. */
  isDurable(path: string, length: number): boolean
  /** Flips one bit of a file, as rot does. */
  rot(path: string, bit: number): void
  /** Loses a file as if it had never been written. */
  lose(path: string): void
  faults: DiskFaults
  /** Syncs of files and directories that were asked for. */
  syncs(): number
}

export function openMemoryDisk(ports: { clock: Clock; random: Random }, faults: Partial<DiskFaults> = {}): MemoryDisk {
  const folders = new Map<string, Folder>()
  let incarnation = 0
  let syncs = 0
  const all: DiskFaults = {
    delayMs: 0,
    capacityBytes: Number.POSITIVE_INFINITY,
    lieAboutSync: false,
    failing: 0,
    ...faults,
  }
  const dice = (below: number) => (Buffer.from(ports.random.bytes(4)).readUInt32BE() / 2 ** 32) * below

  const folderOf = (path: string): Folder => {
    const folder = folders.get(path)
    if (!folder) throw Object.assign(new Error(`no folder ${path}`), { code: 'ENOENT' })
    return folder
  }
  const split = (path: string): [Folder, string] => {
    const at = path.lastIndexOf('/')
    return [folderOf(path.slice(0, Math.max(at, 0))), path.slice(at + 1)]
  }
  const used = () => {
    let sum = 0
    for (const { now } of folders.values()) for (const inode of now.values()) sum += inode.length
    return sum
  }

  const connect = (): Disk => {
    const mine = incarnation
    /** Does the deed at a time of its own; what a crash overtakes never answers. */
    const at = <T>(deed: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const act = () => {
          if (mine !== incarnation) return
          if (all.failing > 0 && dice(1) < all.failing) {
            reject(Object.assign(new Error('input/output error'), { code: 'EIO' }))
            return
          }
          try {
            resolve(deed())
          } catch (error) {
            reject(error)
          }
        }
        if (all.delayMs > 0) ports.clock.after(dice(all.delayMs), act)
        else act()
      })
    const fileOf = (inode: Inode): DiskFile & NewFile => ({
      write: (bytes) =>
        at(() => {
          if (Number.isFinite(all.capacityBytes) && used() + bytes.length > all.capacityBytes)
            throw storageError('disk.full')
          if (inode.length + bytes.length > inode.bytes.length) {
            const grown = new Uint8Array(Math.max(inode.length + bytes.length, inode.bytes.length * 2))
            grown.set(inode.bytes.subarray(0, inode.length))
            inode.bytes = grown
          }
          inode.bytes.set(bytes, inode.length)
          inode.length += bytes.length
        }),
      read: (offset, into) =>
        at(() => {
          const there = inode.bytes.subarray(offset, Math.min(offset + into.length, inode.length))
          into.set(there)
          return there.length
        }),
      size: () => at(() => inode.length),
      sync: () =>
        at(() => {
          syncs++
          if (!all.lieAboutSync) inode.synced = inode.length
        }),
      close: () => at(() => undefined),
    })
    return {
      create: (path) =>
        at(() => {
          const [folder, name] = split(path)
          if (folder.now.has(name)) throw storageError('disk.exists', { path })
          const inode = { bytes: new Uint8Array(0), length: 0, synced: 0, at: { folder, name } }
          folder.now.set(name, inode)
          return fileOf(inode)
        }),
      open: (path) =>
        at(() => {
          if (!folders.has(path.slice(0, Math.max(path.lastIndexOf('/'), 0)))) return undefined
          const [folder, name] = split(path)
          const inode = folder.now.get(name)
          return inode && fileOf(inode)
        }),
      rename: (from, to) =>
        at(() => {
          const [source, name] = split(from)
          const [target, newName] = split(to)
          const inode = source.now.get(name)
          if (!inode) throw Object.assign(new Error(`no file ${from}`), { code: 'ENOENT' })
          source.now.delete(name)
          target.now.set(newName, inode)
          inode.at = { folder: target, name: newName }
        }),
      remove: (path) =>
        at(() => {
          if (folders.has(path)) {
            folders.delete(path)
            return
          }
          const [folder, name] = split(path)
          const inode = folder.now.get(name)
          if (inode) inode.at = undefined
          folder.now.delete(name)
        }),
      makeDirectory: (path) =>
        at(() => {
          const parts = path.split('/')
          for (let depth = 0; depth <= parts.length; depth++) {
            const whole = parts.slice(0, depth).join('/')
            if (!folders.has(whole)) folders.set(whole, { now: new Map(), durable: new Map() })
          }
        }),
      list: (path) =>
        at(() => {
          const inside = [...folders.keys()]
            .filter((folder) => folder !== '' && (path === '' ? !folder.includes('/') : parentOf(folder) === path))
            .map((folder) => folder.slice(folder.lastIndexOf('/') + 1))
          return [...inside, ...(folders.get(path)?.now.keys() ?? [])].sort((a, b) => (a < b ? -1 : 1))
        }),
      syncDirectory: (path) =>
        at(() => {
          syncs++
          const folder = folderOf(path)
          if (all.lieAboutSync) return
          // A rename is one step: when the old name goes for good, the new one is there for good.
          for (const inode of folder.durable.values()) inode.at?.folder.durable.set(inode.at.name, inode)
          folder.durable = new Map(folder.now)
        }),
      freeBytes: () => at(() => all.capacityBytes - used()),
    }
  }

  return {
    connect,
    faults: all,
    syncs: () => syncs,
    crash() {
      incarnation++
      const kept = new Set<Inode>()
      const afterwards = [...folders.values()].map((folder) => {
        const names = new Set([...folder.now.keys(), ...folder.durable.keys()])
        const after = new Map<string, Inode>()
        for (const name of [...names].sort()) {
          const [now, durable] = [folder.now.get(name), folder.durable.get(name)]
          const inode = now === durable || dice(2) < 1 ? durable : now
          if (!inode) continue
          after.set(name, inode)
          kept.add(inode)
        }
        return { folder, after }
      })
      for (const { folder, after } of afterwards) {
        // So a crash leaves it under the old or the new name, or both, but not nowhere.
        for (const [name, inode] of folder.durable) {
          if (kept.has(inode) || !inode.at) continue
          kept.add(inode)
          after.set(name, inode)
        }
        for (const [name, inode] of after) inode.at = { folder, name }
        folder.now = after
        folder.durable = new Map(after)
      }
      for (const inode of kept) {
        // Behind the last sync: a part of it, whose last bytes may be anything.
        const left = inode.synced + Math.floor(dice(inode.length - inode.synced + 1))
        if (left > inode.synced && dice(2) < 1) inode.bytes[left - 1] = (inode.bytes[left - 1] as number) ^ 0xff
        inode.length = left
        inode.synced = left
      }
    },
    files() {
      const found = new Map<string, Uint8Array>()
      for (const [path, folder] of folders) {
        for (const [name, inode] of folder.now)
          found.set(path === '' ? name : `${path}/${name}`, inode.bytes.subarray(0, inode.length))
      }
      return found
    },
    isDurable(path, length) {
      const at = path.lastIndexOf('/')
      const inode = folders.get(path.slice(0, at))?.durable.get(path.slice(at + 1))
      return inode !== undefined && inode.synced >= length
    },
    rot(path, bit) {
      const [folder, name] = split(path)
      const inode = folder.now.get(name)
      if (inode && bit < inode.length * 8) inode.bytes[bit >> 3] = (inode.bytes[bit >> 3] as number) ^ (1 << (bit & 7))
    },
    lose(path) {
      const [folder, name] = split(path)
      folder.now.delete(name)
      folder.durable.delete(name)
    },
  }
}

const parentOf = (path: string) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '')
