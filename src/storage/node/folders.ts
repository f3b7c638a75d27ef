import type { Disk } from './disk.ts'
import type { GroupedSync } from './grouped-sync.ts'
import type { KnownNames } from './known-names.ts'

/** How a provider's folder is laid out: `shards/ab/NAME`, `trash/2026-01-31/NAME`, and `incoming/` for what is not finished. */
export const incomingFolder = 'incoming'
export const trashFolder = 'trash'
export const shardsFolder = 'shards'
export const shardFolder = (name: string) => `${shardsFolder}/${name.slice(0, 2)}`
export const shardPath = (name: string) => `${shardFolder(name)}/${name}`

/** Names are the only part of a path that comes from outside. */
export const isShardName = (name: string) => /^[0-9a-f]{32}$/.test(name)

/** The folders of the trash, oldest first; what somebody else put there is left alone. */
export async function trashDays(disk: Disk): Promise<string[]> {
  const days = (await disk.list(trashFolder)).filter((day) => /^\d{4}-\d\d-\d\d$/.test(day))
  return days.map((day) => `${trashFolder}/${day}`)
}

export async function prepareFolders(disk: Disk): Promise<void> {
  for (const folder of [shardsFolder, trashFolder, incomingFolder]) await disk.makeDirectory(folder)
}

/** What a crash left unfinished was never acknowledged. */
export async function emptyIncoming(disk: Disk): Promise<void> {
  for (const name of await disk.list(incomingFolder)) await disk.remove(`${incomingFolder}/${name}`)
}

/** A page of shard names after `after`, ascending. */
export async function listShards(disk: Disk, after: string, limit: number): Promise<string[]> {
  const names: string[] = []
  for (const folder of await disk.list(shardsFolder)) {
    if (folder < after.slice(0, 2)) continue
    for (const name of await disk.list(`${shardsFolder}/${folder}`)) {
      if (names.length >= limit) return names
      if (name > after && isShardName(name)) names.push(name)
    }
  }
  return names
}

/** `bytes` counts the trash too: it takes room until it is purged. */
export type Usage = { bytes: number; shards: number; trashed: number }

/** Folders that are counted at the same time. */
const lanes = 8

/**
 * Counts and remembers what is there, at start-up. Each folder is synced: a process that was killed may have left entries that everybody
 * sees but that a power cut would take away.
 */
export async function readUsage(disk: Disk, sync: GroupedSync, known: KnownNames): Promise<Usage> {
  const usage: Usage = { bytes: 0, shards: 0, trashed: 0 }
  const shards = (await disk.list(shardsFolder)).map((folder) => `${shardsFolder}/${folder}`)
  const folders = [...shards, ...(await trashDays(disk))]
  const lane = async () => {
    for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
      await sync.directory(folder)
      for (const name of await disk.list(folder)) {
        if (isShardName(name)) known.add(name)
        const file = await disk.open(`${folder}/${name}`)
        const size = (await file?.size()) ?? 0
        await file?.close()
        usage.bytes += size
        if (folder.startsWith(trashFolder)) usage.trashed++
        else usage.shards++
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return usage
}
