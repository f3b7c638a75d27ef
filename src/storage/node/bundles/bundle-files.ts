import type { Disk, DiskFile, NewFile } from '../disk.ts'
import { findRecords, type FoundRecord, prefaceBytes, readIndex, writeIndex, writePreface } from './record.ts'

export const bundlesFolder = 'bundles'
export const bundlePath = (bundle: number) => `${bundlesFolder}/${String(bundle).padStart(8, '0')}`
const indexPath = (bundle: number) => `${bundlePath(bundle)}.index`

/** Bytes asked for at once when a bundle is read through. */
const pieceBytes = 1024 * 1024

/** The bundles of a node, oldest first; what somebody else put there is left alone. */
export async function listBundles(disk: Disk): Promise<number[]> {
  return (await disk.list(bundlesFolder)).filter((name) => /^\d{8}$/.test(name)).map(Number)
}

/** The bundle that is written now. `named`: its entry in the folder is durable. */
export type OpenBundle = {
  bundle: number
  seed: number
  file: NewFile
  bytes: number
  heads: Uint8Array[]
  named: boolean
}

export async function createBundle(disk: Disk, bundle: number, seed: number): Promise<OpenBundle> {
  const file = await disk.create(bundlePath(bundle))
  try {
    await file.write(writePreface(seed))
  } catch (error) {
    await file.close()
    await disk.remove(bundlePath(bundle))
    throw error
  }
  return { bundle, seed, file, bytes: prefaceBytes, heads: [], named: false }
}

/** Leaves its index beside a bundle that is full. Without it, or half of it, a start reads the bundle itself. */
export async function keepIndex(disk: Disk, { bundle, seed, heads }: OpenBundle): Promise<void> {
  // One that is left of a bundle that was lost.
  await disk.remove(indexPath(bundle))
  const file = await disk.create(indexPath(bundle))
  try {
    await file.write(writeIndex(heads, seed))
  } finally {
    await file.close()
  }
}

export async function removeBundle(disk: Disk, bundle: number): Promise<void> {
  // In this order, for an index alone is found and cleared away by nobody.
  await disk.remove(indexPath(bundle))
  await disk.remove(bundlePath(bundle))
}

/** What is in a bundle: by its index, or by looking. What is there is durable afterwards. @returns undefined when it is gone */
export async function readBundle(
  disk: Disk,
  bundle: number,
): Promise<{ bytes: number; records: FoundRecord[] } | undefined> {
  const file = await openBundleFile(disk, bundle)
  if (!file) return undefined
  try {
    const preface = new Uint8Array(prefaceBytes)
    await file.read(0, preface)
    const index = await readIndexFile(disk, bundle, preface)
    if (index) return { bytes: await file.size(), records: index }
    // A process that was killed may have left what everybody sees but a power cut would take away.
    await file.sync()
    const bytes = await readWhole(file)
    return { bytes: bytes.length, records: findRecords(bytes) }
  } finally {
    await file.close()
  }
}

async function readIndexFile(disk: Disk, bundle: number, preface: Uint8Array): Promise<FoundRecord[] | undefined> {
  const file = await disk.open(indexPath(bundle))
  if (!file) return undefined
  try {
    return readIndex(await readWhole(file), preface)
  } finally {
    await file.close()
  }
}

/** @returns undefined when it is gone */
export const openBundleFile = (disk: Disk, bundle: number): Promise<DiskFile | undefined> =>
  disk.open(bundlePath(bundle))

async function readWhole(file: DiskFile): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(await file.size())
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    await file.read(at, bytes.subarray(at, Math.min(bytes.length, at + pieceBytes)))
  }
  return bytes
}
