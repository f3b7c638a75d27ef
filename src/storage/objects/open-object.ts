import { type Call, hasCode } from '#kernel'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import {
  findObject,
  findObjectIn,
  type Packed,
  partsOf,
  type StoredObject,
  type StoredPart,
} from '../index/objects.store.ts'
import { segmentsOf } from '../index/segments.store.ts'
import type { ByteRange, ObjectStorage, OpenObject } from '../object.ts'
import { readPacked } from '../read/read-packed.ts'
import { readSegments, type SegmentRange } from '../read/read-segments.ts'

/** A stretch of the object's bytes that lies in one body. */
type Stretch = { body: string; size: number }

/**
 * Finds an object and opens it for reading. What is read later is this version, whatever happens to the key meanwhile.
 * @throws object.missing, part.missing
 */
export async function openObject(
  ground: Ground,
  call: Call,
  input: Parameters<ObjectStorage['openObject']>[1],
): Promise<OpenObject> {
  const looking = ground.spans.begin('index.read')
  const { bucket, object, parts } = await ground.index.read(function* () {
    const { bucket, object } = yield* findObjectIn(call.tenant, input.bucket, input.key)
    if (!object) throw storageError('object.missing', { bucket: input.bucket, key: input.key })
    return { bucket, object, parts: object.multipart ? yield* partsOf(object.version) : undefined }
  })
  looking?.end()
  const part = input.part === undefined ? undefined : partOf(parts, input.part)
  const stretches = (part ? [part] : parts) ?? [{ body: object.version, size: object.size }]
  const { multipart: _, packed, ...info } = object
  const size = part?.size ?? object.size
  const ready = packed && ground.bodies.get(object.version)
  const whole = { first: 0, last: size - 1 }
  return {
    info: { ...info, size, ...(parts && { parts: parts.map(({ body: _, ...shown }) => shown) }) },
    ...(ready && { ready }),
    read: (range = whole) =>
      packed ? readSmall(ground, call, bucket, object, range) : readStretches(ground, call, stretches, range),
  }
}

/** An object in a pack, from memory where it was read lately. */
async function* readSmall(
  ground: Ground,
  call: Call,
  bucket: string,
  object: StoredObject,
  range: ByteRange,
): AsyncGenerator<Uint8Array> {
  const { version, size } = object
  const known = ground.bodies.get(version)
  if (known) return yield new Uint8Array(known.subarray(range.first, range.last + 1))
  const read = ({ packed }: StoredObject) =>
    readPacked(ground, { tenant: call.tenant, bucket, version, size, packed: packed as Packed }, range, call.signal)
  let bytes: Uint8Array
  try {
    bytes = await read(object)
  } catch (error) {
    if (!hasCode(error, 'object.damaged')) throw error
    // Compaction may have written it elsewhere since the index was asked.
    const current = await ground.index.read(() => findObject(bucket, object.key))
    if (current?.version !== version || current.packed?.pack === object.packed?.pack) throw error
    bytes = await read(current)
  }
  if (bytes.length === size && size <= ground.limits.cachedBytes) ground.bodies.set(version, new Uint8Array(bytes))
  yield bytes
}

/** S3 numbers the one part of an object that was put whole with 1. */
function partOf(parts: StoredPart[] | undefined, number: number): StoredPart | undefined {
  const part = parts?.find((candidate) => candidate.number === number)
  if (!part && (parts || number !== 1)) throw storageError('part.missing', { number })
  return part ?? undefined
}

async function* readStretches(
  ground: Ground,
  call: Call,
  stretches: Stretch[],
  range: ByteRange,
): AsyncGenerator<Uint8Array> {
  // A reader that stops early must not leave requests behind.
  const stop = new AbortController()
  const forward = () => stop.abort(call.signal.reason)
  if (call.signal.aborted) forward()
  call.signal.addEventListener('abort', forward, { once: true })
  try {
    yield* readSegments(ground, call.tenant, segmentsIn(ground, stretches, range), stop.signal)
  } finally {
    call.signal.removeEventListener('abort', forward)
    stop.abort(new Error('the reader has left'))
  }
}

/** The segments that hold a range of the object, each with what of it is wanted. */
async function* segmentsIn(
  ground: Ground,
  stretches: Stretch[],
  { first, last }: ByteRange,
): AsyncGenerator<SegmentRange> {
  let start = 0
  for (const { body, size } of stretches) {
    if (start + size > first && start <= last) {
      let offset = start
      for (const segment of await ground.index.read(() => segmentsOf(body))) {
        const range = { first: Math.max(first - offset, 0), last: Math.min(last - offset, segment.size - 1) }
        if (range.first <= range.last) yield { segment, range }
        offset += segment.size
      }
      if (offset !== start + size) throw storageError('object.damaged', { key: body, readable: 0, needed: 1 })
    }
    start += size
  }
}
