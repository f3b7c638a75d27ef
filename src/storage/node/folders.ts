import type { Disk } from './disk.ts'

/** How a provider's folder is laid out: `shards/ab/NAME`, `trash/2026-01-31/NAME`, and `incoming/` for what is not finished. */
export const incomingFolder = 'incoming'
export const trashFolder = 'trash'
export const shardFolder = (name: string) => `shards/${name.slice(0, 2)}`
export const shardPath = (name: string) => `${shardFolder(name)}/${name}`

export async function prepareFolders(disk: Disk): Promise<void> {
  for (const folder of ['shards', trashFolder, incomingFolder]) await disk.makeDirectory(folder)
}

/** What a crash left unfinished was never acknowledged. */
export async function emptyIncoming(disk: Disk): Promise<void> {
  for (const name of await disk.list(incomingFolder)) await disk.remove(`${incomingFolder}/${name}`)
}

/** `bytes` counts the trash too: it takes room until it is purged. */
export type Usage = { bytes: number; shards: number; trashed: number; trashedBytes: number }

/** Folders that are counted at the same time. */
const lanes = 8

/** Counts what is there, at start-up. */
export async function readUsage(disk: Disk): Promise<Usage> {
  const usage: Usage = { bytes: 0, shards: 0, trashed: 0, trashedBytes: 0 }
  const folders = [
    ...(await disk.list('shards')).map((folder) => `shards/${folder}`),
    ...(await disk.list(trashFolder)).map((folder) => `${trashFolder}/${folder}`),
  ]
  const lane = async () => {
    for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
      for (const name of await disk.list(folder)) {
        const file = await disk.open(`${folder}/${name}`)
        const size = (await file?.size()) ?? 0
        await file?.close()
        usage.bytes += size
        if (folder.startsWith('shards/')) usage.shards++
        else {
          usage.trashed++
          usage.trashedBytes += size
        }
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return usage
}
