import { hasCode } from '#kernel'
import { storageError } from '../errors.ts'
import type { ShardWriter } from '../ports.ts'
import type { Disk, NewFile } from './disk.ts'
import { headBytes, recordBytes } from './bundles/record.ts'
import { incomingFolder, isShardName, shardFolder, shardPath } from './folders.ts'
import { folderOf, leaveSlot, nodeDenies, nodeError, type NodeState, type Slot, settlePromise } from './state.ts'

/**
 * Begins a shard of exactly `length` bytes. The name is taken before anything is waited for, so of many who want it one wins.
 * @throws shard.exists (also when it lies in the trash), shard.full, shard.denied, shard.missing when it was trashed meanwhile
 */
export async function createShard(node: NodeState, name: string, length: number): Promise<ShardWriter> {
  if (!isShardName(name)) throw nodeDenies(node, 'the name of a shard is 32 hexadecimal digits')
  if (!Number.isSafeInteger(length) || length < 1) throw nodeDenies(node, 'a shard has at least one byte')
  if (node.slots.has(name)) throw nodeError(node, 'shard.exists')
  let trashed = false
  const slot: Slot = {
    promised: 0,
    end: async () => {
      trashed = true
    },
  }
  node.slots.set(name, slot)
  const temporary = `${incomingFolder}/${name}-${Buffer.from(node.random.bytes(4)).toString('hex')}`
  try {
    if (await isUsed(node, name)) throw nodeError(node, 'shard.exists')
    const short = length <= node.config.shortBytes
    await promiseRoom(node, slot, short ? recordBytes(length) : length)
    const writer = short
      ? openShortWriter(node, slot, name, length)
      : openWriter(node, slot, { name, length, temporary, file: await node.disk.create(temporary) })
    if (trashed) await slot.end()
    return writer
  } catch (error) {
    leaveSlot(node, name, slot)
    throw fullOr(node, error)
  }
}

/** Counts what others were promised: room is looked at and taken in one step. */
async function promiseRoom(node: NodeState, slot: Slot, length: number): Promise<void> {
  const { config, usage } = node
  const free = (await node.disk.freeBytes()) - config.reserveBytes
  const room = Math.min(config.quotaBytes - usage.bytes, free) - node.promised
  if (length > room) throw nodeError(node, 'shard.full')
  slot.promised = length
  node.promised += length
}

type Incoming = { name: string; length: number; temporary: string; file: NewFile }

function openWriter(node: NodeState, slot: Slot, { name, length, temporary, file }: Incoming): ShardWriter {
  let state: 'open' | 'finishing' | 'over' = 'open'
  let written = 0
  let finishing: Promise<void> | undefined

  const drop = async () => {
    if (state === 'over') return
    state = 'over'
    try {
      await file.close()
      await node.disk.remove(temporary)
    } finally {
      leaveSlot(node, name, slot)
    }
  }
  const publish = async () => {
    try {
      await folderOf(node, shardFolder(name))
      // Also when the rename fails: nobody knows then whether it was done.
      node.known.add(name)
      await node.disk.rename(temporary, shardPath(name))
    } catch (error) {
      await drop()
      throw fullOr(node, error)
    }
    state = 'over'
    settlePromise(node, slot)
    node.usage.bytes += length
    node.usage.shards++
    let lost: unknown
    try {
      // At the same time, so that the disk is flushed once. What a power cut leaves of it meanwhile was promised to nobody.
      const syncs = [node.sync.file(file), node.sync.directory(shardFolder(name))]
      const [data, entry] = await Promise.allSettled(syncs)
      await file.close()
      if (data?.status === 'rejected') {
        await takeBack(node, name, length)
        lost = data.reason
      } else if (entry?.status === 'rejected') throw entry.reason
    } catch (error) {
      // It has its name, and nobody can say whether it will have it after a crash.
      const reason = error instanceof Error ? error.message : String(error)
      throw storageError('shard.uncertain', { provider: node.config.provider, reason }, error)
    } finally {
      leaveSlot(node, name, slot)
    }
    if (lost !== undefined) throw fullOr(node, lost)
  }
  slot.end = async () => {
    if (state === 'open') return drop()
    await finishing?.catch(() => 'whoever finishes is told')
  }
  return {
    async write(bytes) {
      if (state !== 'open') throw nodeError(node, 'shard.missing')
      if (written + bytes.length > length) {
        await drop()
        throw storageError('body.long', { size: length })
      }
      written += bytes.length
      try {
        await file.write(bytes)
      } catch (error) {
        await drop()
        throw fullOr(node, error)
      }
    },
    async finish() {
      if (state !== 'open') throw nodeError(node, 'shard.missing')
      if (written !== length) {
        await drop()
        throw storageError('body.short', { got: written, size: length })
      }
      state = 'finishing'
      finishing = publish()
      await finishing
    },
    abort() {
      // What is being finished can no longer be given up; it is trashed like any other shard.
      if (state !== 'open') return
      drop().catch((error: unknown) => node.log('warn', 'shard.undropped', { reason: String(error) }))
    },
  }
}

/** A short shard is kept in memory until it is whole, and then added to a bundle. */
function openShortWriter(node: NodeState, slot: Slot, name: string, length: number): ShardWriter {
  let record: Uint8Array | undefined = new Uint8Array(recordBytes(length))
  let written = 0
  let adding: Promise<void> | undefined
  const drop = () => {
    if (!record) return
    record = undefined
    leaveSlot(node, name, slot)
  }
  const add = async (whole: Uint8Array) => {
    try {
      await node.bundles.add(name, whole, length)
    } catch (error) {
      if (hasCode(error, 'disk.full')) throw nodeError(node, 'shard.full', error)
      // What was written of it may be whole, and then a restart finds it.
      const reason = error instanceof Error ? error.message : String(error)
      throw storageError('shard.uncertain', { provider: node.config.provider, reason }, error)
    } finally {
      leaveSlot(node, name, slot)
    }
  }
  slot.end = async () => {
    drop()
    await adding?.catch(() => 'whoever finishes is told')
  }
  return {
    async write(bytes) {
      if (!record) throw nodeError(node, 'shard.missing')
      if (written + bytes.length > length) {
        drop()
        throw storageError('body.long', { size: length })
      }
      record.set(bytes, headBytes + written)
      written += bytes.length
    },
    async finish() {
      if (!record) throw nodeError(node, 'shard.missing')
      if (written !== length) {
        drop()
        throw storageError('body.short', { got: written, size: length })
      }
      adding = add(record)
      record = undefined
      await adding
    },
    abort: drop,
  }
}

/** After a sync that failed the system may show bytes that the disk has not: they must not be taken for a shard. */
async function takeBack({ disk, sync, usage }: NodeState, name: string, length: number): Promise<void> {
  await disk.remove(shardPath(name))
  usage.bytes -= length
  usage.shards--
  await sync.directory(shardFolder(name))
}

/** Create-only counts the trash too. A shard moves from its folder to the trash, so the trash is looked at afterwards. */
async function isUsed({ disk, days, known, bundles }: NodeState, name: string): Promise<boolean> {
  if (!known.has(name)) return false
  if (bundles.isUsed(name)) return true
  if (await isThere(disk, shardPath(name))) return true
  const found = await Promise.all([...days].map((day) => isThere(disk, `${day}/${name}`)))
  return found.includes(true)
}

async function isThere(disk: Disk, path: string): Promise<boolean> {
  const file = await disk.open(path)
  await file?.close()
  return file !== undefined
}

function fullOr(node: NodeState, error: unknown): unknown {
  return hasCode(error, 'disk.full') ? nodeError(node, 'shard.full', error) : error
}
