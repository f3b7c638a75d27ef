import type { Clock, Log, Random } from '#kernel'
import { storageError } from '../errors.ts'
import type { ShardStoreStatus, ShardWriter } from '../ports.ts'
import type { Disk } from './disk.ts'
import {
  emptyIncoming,
  incomingFolder,
  prepareFolders,
  readUsage,
  shardFolder,
  shardPath,
  trashFolder,
} from './folders.ts'
import { openGroupedSync } from './grouped-sync.ts'

/** A provider's own limits. */
export type NodeConfig = {
  /** Named in errors. */
  provider: string
  quotaBytes: number
  /** How long a deleted shard can still be brought back. Nobody can shorten this from outside. */
  trashMs: number
  /** Room that is left free on the disk, so that the machine itself goes on. */
  reserveBytes: number
}

/** A provider's side of the shard protocol: create-only files, durable when finished. */
export type Node = {
  create(name: string, length: number): Promise<ShardWriter>
  read(name: string, offset: number, length: number): Promise<Uint8Array>
  trash(name: string): Promise<void>
  list(after: string, limit: number): Promise<string[]>
  status(): ShardStoreStatus
  /** Removes for good what has been in the trash for longer than the limit. */
  purge(): Promise<number>
}

type Ports = { disk: Disk; clock: Clock; random: Random; log: Log }

/**
 * Opens a provider's folder: throws away what was never finished, counts what is there.
 * Errors of its verbs: shard.exists, shard.missing, shard.full.
 */
export async function openNode(ports: Ports, config: NodeConfig): Promise<Node> {
  const { disk, clock, random } = ports
  const fail = (code: 'shard.exists' | 'shard.missing' | 'shard.full') =>
    storageError(code, { provider: config.provider })
  await prepareFolders(disk)
  await emptyIncoming(disk)
  const usage = await readUsage(disk)
  const sync = openGroupedSync(disk)
  const knownFolders = new Set<string>()
  /** Names that are being written now, and the bytes promised to them. */
  const writing = new Map<string, number>()
  let promised = 0

  const folderOf = async (path: string) => {
    if (knownFolders.has(path)) return
    await disk.makeDirectory(path)
    knownFolders.add(path)
  }
  const admit = async (name: string, length: number) => {
    if (writing.has(name) || (await exists(disk, name))) throw fail('shard.exists')
    if (writing.has(name)) throw fail('shard.exists')
    const room = Math.min(config.quotaBytes - usage.bytes, (await disk.freeBytes()) - config.reserveBytes)
    if (length > room - promised) throw fail('shard.full')
    if (writing.has(name)) throw fail('shard.exists')
    writing.set(name, length)
    promised += length
  }
  const release = (name: string) => {
    promised -= writing.get(name) ?? 0
    writing.delete(name)
  }

  return {
    async create(name, length) {
      await admit(name, length)
      const temporary = `${incomingFolder}/${name}-${Buffer.from(random.bytes(4)).toString('hex')}`
      try {
        const file = await disk.create(temporary)
        let written = 0
        let open = true
        const drop = async () => {
          if (!open) return
          open = false
          await file.close()
          await disk.remove(temporary)
          release(name)
        }
        return {
          async write(bytes) {
            if (!open) throw fail('shard.missing')
            written += bytes.length
            if (written > length) throw storageError('body.long', { size: length })
            try {
              await file.write(bytes)
            } catch (error) {
              await drop()
              throw fullOr(error, fail('shard.full'))
            }
          },
          async finish() {
            if (!open) throw fail('shard.missing')
            if (written !== length) throw storageError('body.short', { got: written, size: length })
            try {
              await sync.file(file)
              await folderOf(shardFolder(name))
              await disk.rename(temporary, shardPath(name))
              await sync.directory(shardFolder(name))
            } catch (error) {
              await drop()
              throw fullOr(error, fail('shard.full'))
            }
            open = false
            usage.bytes += length
            usage.shards++
            release(name)
            await file.close()
          },
          abort() {
            drop().catch((error: unknown) => ports.log('warn', 'shard.undropped', { reason: String(error) }))
          },
        }
      } catch (error) {
        release(name)
        throw fullOr(error, fail('shard.full'))
      }
    },

    async read(name, offset, length) {
      const file = await disk.open(shardPath(name))
      if (!file) throw fail('shard.missing')
      try {
        const bytes = await file.read(offset, length)
        if (bytes.length !== length) throw storageError('shard.range', { provider: config.provider })
        return bytes
      } finally {
        await file.close()
      }
    },

    async trash(name) {
      const file = await disk.open(shardPath(name))
      if (!file) return
      const size = await file.size()
      await file.close()
      const day = `${trashFolder}/${new Date(clock.now()).toISOString().slice(0, 10)}`
      await folderOf(day)
      try {
        await disk.rename(shardPath(name), `${day}/${name}`)
      } catch (error) {
        // Somebody else was quicker; the shard is where it should be.
        if (await disk.open(shardPath(name)).then((left) => left?.close().then(() => true))) throw error
        return
      }
      usage.shards--
      usage.trashed++
      usage.trashedBytes += size
      await sync.directory(day)
      await sync.directory(shardFolder(name))
    },

    async list(after, limit) {
      const names: string[] = []
      for (const folder of await disk.list('shards')) {
        if (folder < after.slice(0, 2)) continue
        for (const name of await disk.list(`shards/${folder}`)) {
          if (name > after) names.push(name)
          if (names.length === limit) return names
        }
      }
      return names
    },

    status: () => ({
      usedBytes: usage.bytes + promised,
      quotaBytes: config.quotaBytes,
      shards: usage.shards,
      trashedShards: usage.trashed,
      syncs: sync.count(),
    }),

    async purge() {
      const oldest = new Date(clock.now() - config.trashMs).toISOString().slice(0, 10)
      let purged = 0
      for (const day of await disk.list(trashFolder)) {
        // A day is over only when its last moment is older than the limit.
        if (day >= oldest) continue
        for (const name of await disk.list(`${trashFolder}/${day}`)) {
          const path = `${trashFolder}/${day}/${name}`
          const file = await disk.open(path)
          const size = (await file?.size()) ?? 0
          await file?.close()
          await disk.remove(path)
          usage.bytes -= size
          usage.trashedBytes -= size
          usage.trashed--
          purged++
        }
        await disk.remove(`${trashFolder}/${day}`)
        knownFolders.delete(`${trashFolder}/${day}`)
      }
      return purged
    },
  }
}

/** Create-only counts the trash too: a name that was used once is never used again. */
async function exists(disk: Disk, name: string): Promise<boolean> {
  const paths = [shardPath(name), ...(await disk.list(trashFolder)).map((day) => `${trashFolder}/${day}/${name}`)]
  for (const path of paths) {
    const file = await disk.open(path)
    if (!file) continue
    await file.close()
    return true
  }
  return false
}

function fullOr(error: unknown, full: Error): unknown {
  return (error as { code?: string }).code === 'disk.full' ? full : error
}
