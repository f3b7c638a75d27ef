import type { Clock, Log, Random } from '#kernel'
import { storageError } from '../errors.ts'
import type { Bundles } from './bundles/bundles.ts'
import type { Disk } from './disk.ts'
import type { Usage } from './folders.ts'
import type { GroupedSync } from './grouped-sync.ts'
import type { KnownNames } from './known-names.ts'

export type NodePorts = { disk: Disk; clock: Clock; random: Random; log: Log }

/** A provider's own limits. */
export type NodeConfig = {
  /** Named in errors. */
  provider: string
  quotaBytes: number
  /** How long a deleted shard can still be brought back, milliseconds. Nobody can shorten this from outside. */
  trashMs: number
  /** Room that is left free on the disk, so that the machine itself goes on. */
  reserveBytes: number
  /** Shards up to this size share bundles of that size; 0: each has a file of its own. */
  shortBytes: number
  bundleBytes: number
}

/** How a provider shares files: records of short shards are written in one go, and a bundle is soon rewritten. */
export const bundling = { shortBytes: 64 * 1024 - 64, bundleBytes: 32 * 1024 * 1024 }

/** A name that is being written: nobody else may use it, and its bytes are promised although they are not all there. */
export type Slot = {
  promised: number
  /** Ends the writing, so that the name can be trashed: what is not finished is dropped, what is being finished is waited for. */
  end(): Promise<void>
}

/** What the verbs of one node share. */
export type NodeState = NodePorts & {
  config: NodeConfig
  usage: Usage
  sync: GroupedSync
  bundles: Bundles
  /** Every name that is there or in the trash, and more. */
  known: KnownNames
  slots: Map<string, Slot>
  promised: number
  trashing: Map<string, Promise<void>>
  /** Shards that were moved to this day of the trash, but whose move is not durable yet. */
  moved: Map<string, string>
  folders: Map<string, Promise<void>>
  /** Folders of the trash; each is noted before anything is moved into it. */
  days: Set<string>
}

/** Gives the promised room back; what was written is counted as used from now on. */
export function settlePromise(node: NodeState, slot: Slot): void {
  node.promised -= slot.promised
  slot.promised = 0
}

export function leaveSlot(node: NodeState, name: string, slot: Slot): void {
  settlePromise(node, slot)
  node.slots.delete(name)
}

/** Makes a folder once. Whoever needs it meanwhile waits until it is durable. */
export function folderOf(node: NodeState, path: string): Promise<void> {
  const known = node.folders.get(path)
  if (known) return known
  const made = node.disk.makeDirectory(path)
  node.folders.set(path, made)
  made.catch(() => node.folders.delete(path))
  return made
}

export function nodeError(node: NodeState, code: 'shard.exists' | 'shard.missing' | 'shard.full', cause?: unknown) {
  return storageError(code, { provider: node.config.provider }, cause)
}

export function nodeDenies(node: NodeState, reason: string) {
  return storageError('shard.denied', { provider: node.config.provider, reason })
}
