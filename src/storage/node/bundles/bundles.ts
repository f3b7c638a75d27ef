import type { Usage } from '../folders.ts'
import type { KnownNames } from '../known-names.ts'
import { type AppenderPorts, openAppender } from './appender.ts'
import { bundlesFolder, listBundles, readBundle, removeBundle } from './bundle-files.ts'
import { openFiles } from './open-files.ts'
import { emptyRecord, type FoundRecord, headBytes, prefaceBytes, recordBytes, type RecordHead } from './record.ts'
import { openShardTable, type Place } from './shard-table.ts'

/**
 * Short shards, many to a file: to create, name and sync a file for each of them costs a disk several times what the bytes do.
 * Everything is appended, also that a shard went to the trash; a table in memory says where each lies, and is made from the
 * bundles at a start. docs/formats/bundle.md
 */
export type Bundles = {
  /** Adds a shard; resolves when it is durable. @param record room for its head, the shard, and zeros to a whole record */
  add(name: string, record: Uint8Array, length: number): Promise<void>
  find(name: string): Place | undefined
  /** Whether the name is taken: by a shard, by one in the trash, or by one that a restart may bring back. */
  isUsed(name: string): boolean
  /** Reads from `offset` on. @returns how many bytes there were; undefined when there is no such shard, or only in the trash */
  read(name: string, offset: number, into: Uint8Array): Promise<number | undefined>
  /** Puts a shard into the trash of a day; resolves when that is durable. A missing one is no error. */
  trash(name: string, day: number): Promise<void>
  /** A page of names that are not in the trash, ascending. */
  namesAfter(after: string, limit: number): string[]
  /**
   * Forgets what went to the trash before that day, and rewrites bundles that are mostly of no use any more, so that the
   * disk gets its room back. @returns how many shards were forgotten
   */
  purge(before: number): Promise<number>
}

type Ports = AppenderPorts & { known: KnownNames; usage: Usage }

/** Bundles that one purge rewrites, and records of one that are under way at the same time. */
const rewrittenAtOnce = 8
const movedAtOnce = 64
/** A bundle is rewritten when what is wanted of it fills less than this part of a full one. */
const wantedPart = 0.5
/** Names that are remembered because a restart may bring them back; more are told to the log. */
const doubtfulMost = 10_000

/** Reads every bundle. @param bundleBytes of a full one */
export async function openBundles(ports: Ports, bundleBytes: number): Promise<Bundles> {
  const { disk, log, sync, known, usage } = ports
  const table = openShardTable()
  /** Bytes of each bundle, and those of them that are wanted. */
  const sizes = new Map<number, { bytes: number; wanted: number }>()
  /** Bundles in which a shard may be found after a restart although nobody was told that it is stored. */
  const doubtful = new Map<string, number[]>()
  const count = (bundle: number, wanted: number) => {
    const size = sizes.get(bundle)
    if (size) size.wanted += wanted
  }

  await disk.makeDirectory(bundlesFolder)
  let last = 0
  for (const bundle of await listBundles(disk)) {
    const found = await readBundle(disk, bundle)
    sizes.set(bundle, { bytes: found?.bytes ?? 0, wanted: 0 })
    usage.bytes += found?.bytes ?? 0
    for (const record of found?.records ?? []) replay(bundle, record)
    last = bundle
  }
  await sync.directory(bundlesFolder)
  table.forEach((name, { bundle, length, day }) => {
    known.add(name)
    count(bundle, recordBytes(length))
    if (day === 0) usage.shards++
    else usage.trashed++
  })

  function replay(bundle: number, record: FoundRecord) {
    if (record.kind !== 'trash') {
      const day = record.kind === 'trashed' ? record.day : 0
      return table.set(record.name, { bundle, at: record.at, length: record.length, day })
    }
    const place = table.get(record.name)
    // One that was moved since says itself, at its new place, whether it is in the trash.
    if (place?.bundle === record.target) table.set(record.name, { ...place, day: record.day })
  }

  const files = openFiles(disk)
  const appender = openAppender(ports, {
    bundleBytes,
    last,
    grown(bundle, bytes) {
      const size = sizes.get(bundle) ?? { bytes: 0, wanted: 0 }
      sizes.set(bundle, { ...size, bytes: size.bytes + bytes })
      usage.bytes += bytes
    },
    doubt({ kind, name }, bundle) {
      if (kind !== 'shard') return
      if (doubtful.size >= doubtfulMost) log('warn', 'shard.doubtful', { name, bundle })
      else doubtful.set(name, [...(doubtful.get(name) ?? []), bundle])
    },
  })
  const appendTrash = (name: string, target: number, day: number) =>
    appender.append(emptyRecord(), { kind: 'trash', name, target, day })

  /** A shard is moved or put into the trash, never both at once: the later record must be the one that holds. */
  const busy = new Map<string, Promise<void>>()
  const exclusively = async (name: string, act: () => Promise<void>): Promise<void> => {
    for (let other = busy.get(name); other; other = busy.get(name)) await other.catch(() => 'whoever did it is told')
    const mine = act()
    busy.set(name, mine)
    await mine.finally(() => busy.delete(name))
  }

  const readAt = (place: Place, offset: number, into: Uint8Array) => {
    const wanted = into.subarray(0, Math.max(0, Math.min(into.length, place.length - offset)))
    if (wanted.length === 0) return Promise.resolve(0)
    return files.use(place.bundle, (file) => file.read(place.at + headBytes + offset, wanted))
  }

  const move = async (name: string, from: number, at: number) => {
    const place = table.get(name)
    if (place?.bundle !== from || place.at !== at) return
    const { length, day } = place
    const record = new Uint8Array(recordBytes(length))
    await readAt(place, 0, record.subarray(headBytes, headBytes + length))
    const head: RecordHead = day === 0 ? { kind: 'shard', name, length } : { kind: 'trashed', name, length, day }
    const to = await appender.append(record, head)
    table.set(name, { ...to, length, day })
    count(to.bundle, recordBytes(length))
  }
  /** Writes anew what is wanted of a bundle, then removes it. After a crash in between the later of two records holds. */
  const rewrite = async (bundle: number) => {
    const found = await readBundle(disk, bundle)
    const records = found?.records ?? []
    for (let at = 0; at < records.length; at += movedAtOnce) {
      const some = records.slice(at, at + movedAtOnce).map(async (record) => {
        const { name } = record
        if (record.kind !== 'trash') return exclusively(name, () => move(name, bundle, record.at))
        const { target, day } = record
        if (target !== bundle && sizes.has(target)) await appendTrash(name, target, day)
      })
      await Promise.all(some)
    }
    if (!found) loseAll(bundle)
    await files.forget(bundle)
    await removeBundle(disk, bundle)
    await sync.directory(bundlesFolder)
    usage.bytes -= sizes.get(bundle)?.bytes ?? 0
    sizes.delete(bundle)
  }
  const loseAll = (bundle: number) => {
    const lost: string[] = []
    table.forEach((name, place) => {
      if (place.bundle !== bundle) return
      lost.push(name)
      if (place.day === 0) usage.shards--
      else usage.trashed--
    })
    for (const name of lost) table.delete(name)
    log('error', 'bundle.lost', { bundle, shards: lost.length })
  }
  const forgetBefore = (day: number): number => {
    const over: string[] = []
    table.forEach((name, place) => {
      if (place.day === 0 || place.day >= day) return
      over.push(name)
      count(place.bundle, -recordBytes(place.length))
    })
    for (const name of over) table.delete(name)
    usage.trashed -= over.length
    return over.length
  }
  const purge = async (before: number) => {
    const forgotten = forgetBefore(before)
    const spare = [...sizes]
      .filter(
        ([bundle, { wanted }]) => bundle !== appender.current() && wanted < bundleBytes * wantedPart - prefaceBytes,
      )
      // What costs least gives room first, for the others need some.
      .sort(([, one], [, other]) => one.wanted - other.wanted)
      .slice(0, rewrittenAtOnce)
    for (const [bundle] of spare) await rewrite(bundle)
    return forgotten
  }
  let purging: Promise<number> | undefined

  return {
    find: table.get,
    isUsed: (name) => table.get(name) !== undefined || doubtful.has(name),
    namesAfter: table.namesAfter,
    async add(name, record, length) {
      known.add(name)
      const to = await appender.append(record, { kind: 'shard', name, length })
      table.set(name, { ...to, length, day: 0 })
      count(to.bundle, recordBytes(length))
      usage.shards++
    },
    async read(name, offset, into) {
      for (let place = table.get(name); place && place.day === 0; ) {
        const got = await readAt(place, offset, into)
        if (got !== undefined) return got
        // It may have been moved meanwhile, and its bundle is gone.
        const now = table.get(name)
        if (now?.bundle === place.bundle) return undefined
        place = now
      }
      return undefined
    },
    trash: (name, day) =>
      exclusively(name, async () => {
        for (const bundle of doubtful.get(name) ?? []) await appendTrash(name, bundle, day)
        doubtful.delete(name)
        const place = table.get(name)
        if (!place || place.day !== 0) return
        await appendTrash(name, place.bundle, day)
        table.set(name, { ...place, day })
        usage.shards--
        usage.trashed++
      }),
    async purge(before) {
      purging ??= purge(before).finally(() => {
        purging = undefined
      })
      return purging
    },
  }
}
