import { storageError } from '../errors.ts'
import type { ShardStoreStatus, ShardWriter } from '../ports.ts'
import { openBundles } from './bundles/bundles.ts'
import { createShard } from './create-shard.ts'
import type { DiskFile } from './disk.ts'
import { emptyIncoming, isShardName, listShards, prepareFolders, readUsage, shardPath, trashDays } from './folders.ts'
import { openGroupedSync } from './grouped-sync.ts'
import { openKnownNames } from './known-names.ts'
import { type NodeConfig, type NodePorts, type NodeState, nodeError } from './state.ts'
import { dayNumber, purgeTrash, trashShard } from './trash-shard.ts'

/** A provider's side of the shard protocol: create-only shards, durable when finished, byte for byte what was sent. */
export type Node = {
  create(name: string, length: number): Promise<ShardWriter>
  /** Reads exactly `length` bytes. @throws shard.missing, shard.range when the shard is shorter */
  read(name: string, offset: number, length: number): Promise<Uint8Array>
  /** Opens a shard to read it piece by piece. @throws shard.missing */
  open(name: string): Promise<DiskFile>
  trash(name: string): Promise<void>
  list(after: string, limit: number): Promise<string[]>
  status(): ShardStoreStatus
  /** Removes for good what has been in the trash for longer than the limit; returns how many shards. */
  purge(): Promise<number>
}

/**
 * Opens a provider's folder: throws away what was never finished, counts what is there.
 * Errors of its verbs: shard.exists, shard.missing, shard.full, shard.range, shard.denied, shard.uncertain.
 */
export async function openNode(ports: NodePorts, config: NodeConfig): Promise<Node> {
  const { disk } = ports
  await prepareFolders(disk)
  await emptyIncoming(disk)
  const sync = openGroupedSync(disk)
  const known = openKnownNames()
  const usage = await readUsage(disk, sync, known)
  const bundles = await openBundles({ ...ports, sync, known, usage }, config.bundleBytes)
  const node: NodeState = {
    ...ports,
    config,
    usage,
    sync,
    known,
    bundles,
    slots: new Map(),
    promised: 0,
    trashing: new Map(),
    moved: new Map(),
    folders: new Map(),
    days: new Set(await trashDays(disk)),
  }
  return {
    create: (name, length) => createShard(node, name, length),
    async read(name, offset, length) {
      const bytes = Buffer.allocUnsafeSlow(length)
      const short = await bundles.read(name, offset, bytes)
      if (short === length) return bytes
      if (short !== undefined) throw storageError('shard.range', { provider: config.provider })
      const shard = await openFile(node, name)
      try {
        const got = await shard.read(offset, bytes)
        if (got < length) throw storageError('shard.range', { provider: config.provider })
        return bytes
      } finally {
        // Nobody waits for it: one way to the disk less for short reads.
        shard.close().catch((error: unknown) => ports.log('warn', 'shard.unclosed', { reason: String(error) }))
      }
    },
    open: (name) => openShard(node, name),
    trash: async (name) => (isShardName(name) ? trashShard(node, name) : undefined),
    list: async (after, limit) =>
      [...(await listShards(disk, after, limit)), ...bundles.namesAfter(after, limit)].sort().slice(0, limit),
    status: () => ({
      usedBytes: usage.bytes + node.promised,
      quotaBytes: config.quotaBytes,
      shards: usage.shards,
      trashedShards: usage.trashed,
      syncs: sync.count(),
    }),
    async purge() {
      const files = await purgeTrash(node)
      return files + (await bundles.purge(dayNumber(ports.clock.now() - config.trashMs)))
    },
  }
}

async function openShard(node: NodeState, name: string): Promise<DiskFile> {
  return node.bundles.find(name)?.day === 0 ? openShort(node, name) : openFile(node, name)
}

async function openFile(node: NodeState, name: string): Promise<DiskFile> {
  const file = isShardName(name) ? await node.disk.open(shardPath(name)) : undefined
  if (!file) throw nodeError(node, 'shard.missing')
  return file
}

/** A shard out of its bundle, as if it were a file. */
function openShort({ bundles }: NodeState, name: string): DiskFile {
  return {
    read: async (offset, into) => (await bundles.read(name, offset, into)) ?? 0,
    size: async () => bundles.find(name)?.length ?? 0,
    sync: async () => undefined,
    close: async () => undefined,
  }
}
