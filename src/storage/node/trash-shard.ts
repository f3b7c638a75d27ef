import { shardFolder, shardPath, trashDays, trashFolder } from './folders.ts'
import { folderOf, type NodeState } from './state.ts'

/**
 * Moves a shard into the trash of today; resolves when that is durable. A missing shard is no error. One that is still being
 * written is dropped, so that a late writer leaves nothing behind.
 */
export async function trashShard(node: NodeState, name: string): Promise<void> {
  await node.slots.get(name)?.end()
  const underWay = node.trashing.get(name)
  if (underWay) return underWay
  const move = putAway(node, name).finally(() => node.trashing.delete(name))
  node.trashing.set(name, move)
  await move
}

async function putAway(node: NodeState, name: string): Promise<void> {
  await node.bundles.trash(name, dayNumber(node.clock.now()))
  await moveToTrash(node, name)
}

async function moveToTrash(node: NodeState, name: string): Promise<void> {
  const { disk, usage } = node
  if ((await sizeOf(node, shardPath(name))) !== undefined) {
    const today = `${trashFolder}/${dayOf(node.clock.now())}`
    await folderOf(node, today)
    node.days.add(today)
    await disk.rename(shardPath(name), `${today}/${name}`)
    usage.shards--
    usage.trashed++
    node.moved.set(name, today)
  }
  // Also for whoever asks again because the syncs failed the first time.
  const day = node.moved.get(name)
  if (day === undefined) return
  // First there, then away: a crash between the two leaves it in both places, not in none.
  await node.sync.directory(day)
  await node.sync.directory(shardFolder(name))
  node.moved.delete(name)
}

/**
 * Removes for good what has been in the trash for longer than the limit. A day is over only when its last moment is.
 * @returns how many shards were removed
 */
export async function purgeTrash(node: NodeState): Promise<number> {
  const { disk, usage } = node
  const oldest = `${trashFolder}/${dayOf(node.clock.now() - node.config.trashMs)}`
  let purged = 0
  for (const day of await trashDays(disk)) {
    if (day >= oldest) continue
    for (const name of await disk.list(day)) {
      const size = (await sizeOf(node, `${day}/${name}`)) ?? 0
      await disk.remove(`${day}/${name}`)
      usage.bytes -= size
      usage.trashed--
      purged++
    }
    await disk.remove(day)
    node.folders.delete(day)
    node.days.delete(day)
  }
  return purged
}

/** Days since 1970 UTC. */
export const dayNumber = (ms: number) => Math.floor(ms / 86_400_000)

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

async function sizeOf(node: NodeState, path: string): Promise<number | undefined> {
  const file = await node.disk.open(path)
  if (!file) return undefined
  try {
    return await file.size()
  } finally {
    await file.close()
  }
}
