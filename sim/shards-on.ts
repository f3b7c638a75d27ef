import { findRecords, type FoundRecord, sizeOf } from '../src/storage/node/bundles/record.ts'
import type { MemoryDisk } from './ports/disk.ts'

/** A shard as it lies on a disk: in a file of its own or in a bundle. */
export type FoundShard = { path: string; durable: boolean }

/** The shards on a provider's disk that are not in its trash, by name, as whoever starts now would find them. */
export function shardsOn(disk: MemoryDisk): Map<string, FoundShard> {
  const found = new Map<string, FoundShard>()
  const files = disk.files()
  for (const [path, bytes] of files) {
    if (path.startsWith('shards/')) found.set(path.slice(-32), { path, durable: disk.isDurable(path, bytes.length) })
  }
  for (const [name, { path, record }] of bundledShards(files)) {
    found.set(name, { path, durable: disk.isDurable(path, record.at + sizeOf(record)) })
  }
  return found
}

/**
 * Reads bundles, by path, as docs/formats/bundle.md has it.
 * @returns the shards in them that are not in the trash, by name
 */
export function bundledShards(
  files: ReadonlyMap<string, Uint8Array>,
): Map<string, { path: string; record: FoundRecord }> {
  const found = new Map<string, { path: string; record: FoundRecord }>()
  for (const path of [...files.keys()].filter((path) => /^bundles\/\d{8}$/.test(path)).sort()) {
    for (const record of findRecords(files.get(path) as Uint8Array)) {
      const { name } = record
      if (record.kind === 'shard') found.set(name, { path, record })
      else if (record.kind === 'trashed') found.delete(name)
      else if (found.get(name)?.path === `bundles/${String(record.target).padStart(8, '0')}`) found.delete(name)
    }
  }
  return found
}
