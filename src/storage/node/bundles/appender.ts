import type { Log, Random } from '#kernel'
import type { Disk } from '../disk.ts'
import type { GroupedSync } from '../grouped-sync.ts'
import { bundlesFolder, createBundle, keepIndex, type OpenBundle } from './bundle-files.ts'
import { headBytes, type RecordHead, sealRecord } from './record.ts'

export type Appended = { bundle: number; at: number }

/** Writes the bundle that is open, and the next when it is full. */
export type Appender = {
  /**
   * Resolves when the record is durable. Whatever comes while a sync runs shares the next one.
   * @param record all of it; its head is written into it
   */
  append(record: Uint8Array, head: RecordHead): Promise<Appended>
  /** The bundle that is written now. */
  current(): number | undefined
}

export type AppenderPorts = { disk: Disk; random: Random; log: Log; sync: GroupedSync }
type Options = {
  bundleBytes: number
  /** The last number that was used. */
  last: number
  /** Told how much a bundle has grown. */
  grown(bundle: number, bytes: number): void
  /** Told of a record that was not acknowledged, but may be found after a restart. */
  doubt(head: RecordHead, bundle: number): void
}

type Waiting = { record: Uint8Array; head: RecordHead; resolve(at: Appended): void; reject(error: unknown): void }

export function openAppender({ disk, random, log, sync }: AppenderPorts, options: Options): Appender {
  let { last } = options
  let current: OpenBundle | undefined
  let waiting: Waiting[] = []
  let appending = false

  const appendAll = async () => {
    appending = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await appendBatch(batch)
      } catch (error) {
        await giveUp(batch, error)
      }
    }
    appending = false
  }
  const appendBatch = async (batch: readonly Waiting[]) => {
    const open = await openFor()
    const { bundle, file, seed, heads } = open
    const places: Appended[] = []
    for (const { record, head } of batch) {
      sealRecord(record, head, seed)
      await file.write(record)
      places.push({ bundle, at: open.bytes })
      heads.push(record.slice(0, headBytes))
      open.bytes += record.length
      options.grown(bundle, record.length)
    }
    await Promise.all([sync.file(file), ...(open.named ? [] : [sync.directory(bundlesFolder)])])
    open.named = true
    batch.forEach(({ resolve }, at) => resolve(places[at] as Appended))
  }
  const openFor = async (): Promise<OpenBundle> => {
    if (current && current.bytes < options.bundleBytes) return current
    const full = current
    current = undefined
    if (full) await close(full)
    current = await createBundle(disk, ++last, Buffer.from(random.bytes(4)).readUInt32BE())
    options.grown(last, current.bytes)
    return current
  }
  const close = async (full: OpenBundle) => {
    try {
      await full.file.close()
      await keepIndex(disk, full)
    } catch (error) {
      log('warn', 'bundle.unindexed', { bundle: full.bundle, reason: String(error) })
    }
  }
  /** No more is written behind what failed: nobody knows how much of that is there. */
  const giveUp = async (batch: readonly Waiting[], error: unknown) => {
    const broken = current
    current = undefined
    for (const { head, reject } of batch) {
      if (broken) options.doubt(head, broken.bundle)
      reject(error)
    }
    await broken?.file.close().catch((reason: unknown) => log('warn', 'bundle.unclosed', { reason: String(reason) }))
  }
  return {
    append: (record, head) =>
      new Promise((resolve, reject) => {
        waiting.push({ record, head, resolve, reject })
        if (!appending) void appendAll()
      }),
    current: () => current?.bundle,
  }
}
