import { crc32 } from 'node:zlib'

/**
 * The records of a bundle; docs/formats/bundle.md. `shard`: its bytes follow. `trashed`: the same of one that lies in the
 * trash since `day`. `trash`: the shard of that name in the bundle `target` is in the trash since `day`.
 */
export type RecordHead =
  | { kind: 'shard'; name: string; length: number }
  | { kind: 'trashed'; name: string; length: number; day: number }
  | { kind: 'trash'; name: string; target: number; day: number }

export type FoundRecord = RecordHead & { at: number }

const magic = 0x504c4231
const kinds = ['shard', 'trashed', 'trash'] as const
export const headBytes = 40
/** Records begin at whole multiples, so that behind a damaged one the next is found. */
const alignment = 8

/** Room that a record takes in its bundle. */
export const recordBytes = (length: number) => Math.ceil((headBytes + length) / alignment) * alignment

export const sizeOf = (head: RecordHead) => recordBytes(bodyLength(head))
const bodyLength = (head: RecordHead) => (head.kind === 'trash' ? 0 : head.length)

/** What a bundle begins with: a number nobody outside knows, from which all of its checks go on, so that no shard can pass for records. */
export const prefaceBytes = 8
const prefaceMagic = 0x504c4230

export function writePreface(seed: number): Uint8Array {
  const bytes = new Uint8Array(prefaceBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, prefaceMagic)
  view.setUint32(4, seed)
  return bytes
}

/**
 * Writes the head of a record whose body, if it has one, already lies behind it.
 * @param record all of it, ends with zeros
 * @param seed of the bundle that it is for
 */
export function sealRecord(record: Uint8Array, head: RecordHead, seed: number): void {
  const view = new DataView(record.buffer, record.byteOffset, headBytes)
  const body = record.subarray(headBytes, headBytes + bodyLength(head))
  view.setUint32(0, magic)
  view.setUint32(4, kinds.indexOf(head.kind))
  view.setUint32(8, head.kind === 'trash' ? head.target : head.length)
  view.setUint32(12, head.kind === 'shard' ? 0 : head.day)
  Buffer.from(record.buffer, record.byteOffset + 16, 16).write(head.name, 'hex')
  view.setUint32(32, crc32(body, seed))
  view.setUint32(36, crc32(record.subarray(0, 36), seed))
}

/** A record without a body. */
export const emptyRecord = () => new Uint8Array(recordBytes(0))

function headAt(bytes: Uint8Array, at: number, seed: number): RecordHead | undefined {
  if (at + headBytes > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, headBytes)
  if (view.getUint32(0) !== magic || view.getUint32(36) !== crc32(bytes.subarray(at, at + 36), seed)) return undefined
  const kind = kinds[view.getUint32(4)]
  const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + 16, 16).toString('hex')
  const [number, day] = [view.getUint32(8), view.getUint32(12)]
  if (kind === 'shard') return { kind, name, length: number }
  if (kind === 'trashed') return { kind, name, length: number, day }
  return kind && { kind, name, target: number, day }
}

/**
 * Finds the records of a bundle that may end in the middle of one. What is damaged between sound ones is rot, which whoever
 * reads the shard finds out; what is damaged at the end was torn by a crash, and nobody was told that it is stored.
 */
export function findRecords(bytes: Uint8Array): FoundRecord[] {
  const found: FoundRecord[] = []
  if (bytes.length < prefaceBytes) return found
  const preface = new DataView(bytes.buffer, bytes.byteOffset, prefaceBytes)
  const seed = preface.getUint32(4)
  let doubtful: FoundRecord | undefined
  for (let at = prefaceBytes; at + headBytes <= bytes.length; ) {
    const head = headAt(bytes, at, seed)
    if (!head) {
      at += alignment
      continue
    }
    if (doubtful) found.push(doubtful)
    const size = sizeOf(head)
    doubtful = undefined
    if (isWhole(bytes, at, head, seed)) found.push({ ...head, at })
    else doubtful = { ...head, at }
    at += at + size <= bytes.length ? size : alignment
  }
  return found
}

function isWhole(bytes: Uint8Array, at: number, head: RecordHead, seed: number): boolean {
  const begin = at + headBytes
  const end = begin + bodyLength(head)
  if (end > bytes.length) return false
  return (
    new DataView(bytes.buffer, bytes.byteOffset + at + 32, 4).getUint32(0) === crc32(bytes.subarray(begin, end), seed)
  )
}

const indexMagic = 0x504c4249
const indexFront = 16

/** The heads of a bundle that is full, so that a start need not read all of it. */
export function writeIndex(heads: readonly Uint8Array[], seed: number): Uint8Array {
  const bytes = new Uint8Array(indexFront + heads.length * headBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, indexMagic)
  view.setUint32(4, heads.length)
  view.setUint32(8, seed)
  heads.forEach((head, at) => bytes.set(head, indexFront + at * headBytes))
  view.setUint32(12, crc32(bytes.subarray(indexFront), seed))
  return bytes
}

/**
 * @param preface of the bundle
 * @returns undefined when it is damaged, unfinished or another's: then the bundle itself tells
 */
export function readIndex(bytes: Uint8Array, preface: Uint8Array): FoundRecord[] | undefined {
  if (bytes.length < indexFront) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, indexFront)
  const heads = bytes.subarray(indexFront)
  const seed = view.getUint32(8)
  if (Buffer.compare(writePreface(seed), preface) !== 0) return undefined
  if (view.getUint32(0) !== indexMagic || view.getUint32(4) * headBytes !== heads.length) return undefined
  if (view.getUint32(12) !== crc32(heads, seed)) return undefined
  const found: FoundRecord[] = []
  let at = prefaceBytes
  for (let from = 0; from < heads.length; from += headBytes) {
    const head = headAt(heads, from, seed)
    if (!head) return undefined
    found.push({ ...head, at })
    at += sizeOf(head)
  }
  return found
}
