import { hash } from 'node:crypto'
import { type Call, release, type Row, type Statement } from '#kernel'
import { storageError } from '../errors.ts'
import { freshName, type Ground } from '../ground.ts'
import { type BucketEpochs, holdEpochs } from '../index/buckets.store.ts'
import { checkCondition, findCurrent, putObjectRow, type StoredObject } from '../index/objects.store.ts'
import { packClassOf } from '../index/packs.store.ts'
import type { Body, Bucket, ObjectHeaders, ObjectInfo, WriteCondition } from '../object.ts'
import { objectChange } from '../quota/changes.ts'
import { sealObject } from '../seal/object-seal.ts'
import { etagOf, needsMd5 } from '../write/etag.ts'
import type { PackJob, SeenBuckets } from './job.ts'
import type { Packer } from './packer.ts'

export type SmallPut = { key: string; headers: ObjectHeaders; condition: WriteCondition; body: Body }

/** Memory that a small object takes while it is written, as a multiple of its size: itself, sealed, laid out, coded. */
const copies = 5
const cipherKeyBytes = 32

/** Stores a small object in a pack. Resolves when it is durable there and in the index. */
export async function putPacked(
  ground: Ground,
  packer: Packer,
  call: Call,
  bucket: Bucket,
  input: SmallPut,
): Promise<ObjectInfo> {
  const { key, condition, body } = input
  const memory = body.size * copies
  await ground.writeMemory.take(memory, call.actor)
  try {
    const plaintext = await readWhole(body)
    // In hex, because a digest of bytes costs half as much again.
    const md5 = needsMd5(bucket, body) ? Buffer.from(hash('md5', plaintext, 'hex'), 'hex') : undefined
    const checksum = body.finish(md5)
    const version = freshName(ground)
    const id = Buffer.from(version, 'hex')
    const dataKey = ground.random.bytes(cipherKeyBytes)
    const wrapped = await ground.keys.wrapData(bucket.id, id, dataKey)
    const sealing = ground.spans.begin('object.seal')
    const sealed = sealObject({ tenant: bucket.tenant, id, key: dataKey }, plaintext)
    sealing?.end()
    const object: StoredObject = {
      key,
      version,
      size: body.size,
      etag: etagOf(ground, md5),
      modifiedAt: ground.clock.now(),
      headers: input.headers,
      multipart: false,
      ...(checksum && { checksum }),
    }
    const job: PackJob<StoredObject> = {
      trail: ground.spans.current(),
      sealed,
      size: body.size,
      signal: call.signal,
      *decide(seen, ledger) {
        const { quotas } = yield* checkBucket(bucket, wrapped.epoch, seen)
        const current = yield* findCurrent(bucket.id, key)
        checkCondition(current, condition, bucket.name, key)
        yield* ledger.add({ ...bucket, quotas }, [objectChange(bucket.id, object, current)])
        return function* (place) {
          const packed = { ...place, epoch: wrapped.epoch, dataKey: wrapped.data, commitment: wrapped.commitment }
          const notBefore = ground.clock.now() + ground.limits.readerGraceMs
          yield* putObjectRow(bucket.id, { ...object, packed }, current, notBefore)
          return object
        }
      },
      *find() {
        const current = yield* findCurrent(bucket.id, key)
        return current?.version === version ? object : undefined
      },
    }
    const stored = await packer.add(packClassOf(bucket.policy), job)
    if (body.size <= ground.limits.cachedBytes) ground.bodies.set(version, new Uint8Array(plaintext))
    release(sealed)
    release(plaintext)
    return stored
  } finally {
    ground.writeMemory.give(memory, call.actor)
  }
}

/** @throws bucket.missing; object.conflict, key.retired when its policy or key changed while the bytes were on their way */
function* checkBucket(bucket: Bucket, epoch: number, seen: SeenBuckets): Generator<Statement, BucketEpochs, Row[]> {
  if (!seen.has(bucket.id)) seen.set(bucket.id, yield* holdEpochs(bucket.id))
  const found = seen.get(bucket.id)
  if (!found) throw storageError('bucket.missing', { bucket: bucket.name })
  if (found.policyEpoch !== bucket.policyEpoch) throw storageError('object.conflict', { key: bucket.name })
  if (epoch < found.keyFloor) throw storageError('key.retired')
  return found
}

/** @throws body.short, body.long */
async function readWhole({ size, whole, chunks }: Body): Promise<Uint8Array> {
  if (whole) return whole()
  const bytes = Buffer.allocUnsafeSlow(size)
  let at = 0
  for await (const chunk of chunks) {
    if (at + chunk.length > size) throw storageError('body.long', { size })
    bytes.set(chunk, at)
    at += chunk.length
    release(chunk)
  }
  if (at < size) throw storageError('body.short', { got: at, size })
  return bytes
}
