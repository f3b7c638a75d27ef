import { defaultPolicy } from '#pool'
import * as bodies from '../../src/storage/index/bodies.store.ts'
import * as buckets from '../../src/storage/index/buckets.store.ts'
import * as intents from '../../src/storage/index/intents.store.ts'
import * as objects from '../../src/storage/index/objects.store.ts'
import * as packs from '../../src/storage/index/packs.store.ts'
import type { Segment } from '../../src/storage/index/segment.ts'
import * as segments from '../../src/storage/index/segments.store.ts'
import * as slots from '../../src/storage/index/slots.store.ts'
import * as uploads from '../../src/storage/index/uploads.store.ts'
import type { Bucket } from '../../src/storage/object.ts'
import * as epochs from '../../src/storage/seal/epochs.store.ts'
import * as jobs from '../../src/work/job.store.ts'
import { type Call, call, hot, key } from './stores.suite.ts'

/** Folders whose every operation must be called below. */
export const walked = ['storage', 'work']

export const bucket: Bucket = {
  ...{ id: 'b1', name: 'first', tenant: 't', createdAt: 5, policyEpoch: 1, revision: 1, etags: 'md5' },
  policy: defaultPolicy,
}
const other: Bucket = { ...bucket, id: 'b2', name: 'other', tenant: 'u', etags: 'opaque' }
const packClass = packs.packClassOf(defaultPolicy)
const name = (text: string) => Buffer.from(text).toString('hex').padEnd(32, '0')

export const segment = (body: string, position = 0): Segment => ({
  ...{ body, position, scope: 'b1', generation: 1, segment: name(body), size: 77, k: 2, m: 1, epoch: 3 },
  holders: ['p', 'q', 'r'],
  names: ['x', 'y', 'z'].map((letter) => name(`${letter}${position}${body}`)),
  ...{ dataKey: Buffer.alloc(48, 1), integrityKey: Buffer.alloc(48, 2), commitment: Buffer.alloc(32, 3) },
})
const moved = { ...segment('large'), holders: ['p', 'q', 's'], names: ['x', 'y', 'w'].map((letter) => name(letter)) }

export const object = (keyOf: string, version: string, packed?: objects.Packed): objects.StoredObject => ({
  ...{ key: keyOf, version, size: 10, etag: `e-${version}`, modifiedAt: 1234567890123, multipart: false },
  headers: { 'content-type': 'text/plain', 'x-amz-meta-ü': 'ä' },
  ...(packed ? { packed } : { checksum: { algorithm: 'SHA256', value: 'AA==', type: 'FULL_OBJECT' } }),
})
export const packed = (pack: string, slot: number): objects.Packed => ({
  ...{ pack, slot, shard: slot % 2 === 0 ? 1 : undefined, start: 100, epoch: 1 },
  ...{ dataKey: Buffer.alloc(48, 4), commitment: Buffer.alloc(32, 5) },
})
const upload = (id: string, keyOf: string): uploads.StoredUpload => ({
  id,
  key: keyOf,
  createdAt: 9,
  headers: { a: 'b' },
})
const part = (number: number, body: string): objects.StoredPart => ({
  ...{ number, body, size: 5, etag: `p${number}`, modifiedAt: 8 },
})

const job = (id: string, tenant: string, single?: string): jobs.NewJob => ({
  ...{ id, kind: 'move', tenant, about: 'it', input: { bucket: 'b1' }, now: 5 },
  ...(single !== undefined && { single }),
})

/** Calls in an order in which each finds something to do; some are refused on purpose. A new operation joins by one line. */
export const calls: Call[] = [
  call(buckets.insertBucket, bucket),
  call(buckets.insertBucket, other),
  call(buckets.insertBucket, { ...bucket, id: 'b3' }),
  call(buckets.insertBucket, { ...bucket, id: 'b3', tenant: 'u' }),
  hot(buckets.getBucket, 't', 'first'),
  call(buckets.getBucket, 'u', 'first'),
  call(buckets.getBucketToChange, 't', 'first', 1),
  call(buckets.getBucketToChange, 't', 'first', 2),
  call(buckets.holdBucket, 't', 'first'),
  call(buckets.holdBucket, 't', 'nowhere'),
  hot(buckets.holdBucketById, 'b1'),
  hot(buckets.holdPolicyEpoch, 'b1'),
  call(buckets.holdPolicyEpoch, 'b9'),
  call(buckets.getBucketToChange, 't', 'first', 1),
  call(buckets.getBucketToChange, 't', 'first', 9),
  call(buckets.listBuckets, 't'),
  call(buckets.allBuckets),
  call(buckets.setBucketPolicy, bucket, { ...defaultPolicy, survive: { providers: 1, countries: 0 } }),
  call(buckets.setBucketEtags, bucket, 'opaque'),
  call(buckets.getBucket, 't', 'first'),

  hot(intents.planShards, 'i1', 100, [
    { provider: 'p', name: 'n1' },
    { provider: 'q', name: 'n2' },
  ]),
  call(intents.planShards, 'i1', 200, [{ provider: 'r', name: 'n3' }]),
  call(intents.planShards, 'i2', 50, [{ provider: 'p', name: 'n4' }]),
  call(intents.planShards, 'i3', 60, [{ provider: 'p', name: 'n5' }]),
  hot(intents.closeIntent, 'i1', new Set(['n1', 'n3']), 7),
  call(intents.closeIntent, 'i1', new Set([]), 7),
  hot(intents.killIntent, 'i2'),
  call(intents.planShards, 'i2', 300, []),
  hot(intents.killIntents, 1000, 10),
  call(intents.buryIntents, 8, 1),
  call(intents.buryIntents, 8, 100),
  hot(intents.dueStrays, 100, 10),
  call(intents.insertStray, 'p', 'n9', 3),
  call(intents.postponeStray, 'n9', 900),
  call(intents.deleteStray, 'n2'),
  call(intents.dueStrays, 100, 10),
  call(intents.dueStrays, 1000, 1),

  hot(segments.insertSegment, segment('large')),
  call(segments.insertSegment, segment('large', 1)),
  call(segments.insertSegment, { ...segment('pack-1'), scope: packClass.id }),
  hot(segments.segmentsOf, 'large'),
  hot(segments.segmentAt, { body: 'large', position: 1 }),
  call(segments.segmentAt, { body: 'large', position: 9 }),
  call(segments.replaceSegment, segment('large'), moved),
  call(segments.replaceSegment, segment('large'), moved),
  call(segments.segmentsOf, 'large'),
  call(segments.countPlacements),
  call(segments.insertGap, { body: 'large', position: 0, shard: 2, reason: 'missing', since: 4 }),
  call(segments.insertGap, { body: 'large', position: 0, shard: 2, reason: 'corrupt', since: 5 }),
  call(segments.insertGap, { body: 'large', position: 1, shard: 0, reason: 'corrupt', since: 5 }),
  call(segments.listGaps, 10),
  call(segments.gapsOf, { body: 'large', position: 0 }),
  call(segments.deleteGap, { body: 'large', position: 0 }, 2),
  call(segments.listGaps, 10),
  hot(segments.segmentsOfPlacement, '0'.repeat(16), { body: '', position: -1 }, 5),

  call(packs.keepPackClass, packClass),
  call(packs.keepPackClass, packClass),
  call(packs.allPackClasses),
  hot(packs.insertPack, { id: 'pack-1', class: packClass.id, bytes: 100, live: 40 }),
  call(packs.insertPack, { id: 'pack-2', class: packClass.id, bytes: 100, live: 20 }),
  hot(packs.findPack, 'pack-1'),
  hot(objects.findCurrent, 'b1', 'ä/1'),
  hot(objects.putObjectRow, 'b1', object('ä/1', 'v1', packed('pack-1', 0)), undefined, 10),
  call(objects.putObjectRow, 'b1', object('ä/2', 'v2', packed('pack-1', 1)), undefined, 10),
  call(objects.putObjectRow, 'b1', object('ä/3', 'v3', packed('pack-1', 2)), undefined, 10),
  call(objects.putObjectRow, 'b1', object('b', 'large'), undefined, 10),
  call(objects.putObjectRow, 'b1', object('😀', 'v5'), undefined, 10),
  call(objects.putObjectRow, 'b1', object('～', 'v6'), undefined, 10),
  hot(objects.findObject, 'b1', 'ä/1'),
  call(objects.findObject, 'b1', 'ä/2'),
  call(objects.findObject, 'b1', 'none'),
  hot(objects.findObjectIn, 't', 'first', 'b'),
  call(objects.findObjectIn, 't', 'first', 'none'),
  call(objects.findObjectIn, 'u', 'first', 'b'),
  hot(objects.objectsFrom, 'b1', key('a'), key('ä/3'), 10),
  hot(objects.objectsFrom, 'b1', key(''), undefined, 4),
  call(objects.objectsFrom, 'b1', key(''), undefined, 40),
  hot(objects.firstKeyFrom, 'b1', key('c'), undefined),
  call(objects.firstKeyFrom, 'b1', key('c'), key('d')),
  call(objects.countObjects, { bucket: '', key: key('') }, 3),
  call(objects.countObjects, { bucket: 'b1', key: key('b') }, 300),
  hot(slots.liveSlots, 'pack-1'),
  hot(
    slots.moveSlot,
    { bucket: 'b1', object: object('ä/3', 'v3', packed('pack-1', 2)) },
    { pack: 'pack-2', slot: 0, shard: undefined, start: 7 },
  ),
  call(
    slots.moveSlot,
    { bucket: 'b1', object: object('ä/3', 'v3', packed('pack-1', 2)) },
    { pack: 'pack-2', slot: 1, shard: undefined, start: 7 },
  ),
  hot(packs.dropSlot, 'pack-1', 2, 10, 30),
  call(packs.dropSlot, 'pack-1', 2, 10, 30),
  call(packs.findPack, 'pack-1'),
  call(packs.duePacks, 2, 10),
  call(packs.duePacks, 1, 10),
  call(packs.queuePack, 'pack-2', packClass.id),
  call(packs.duePacks, 9, 10),
  call(packs.insertSlot, 'pack-2', 5, 'b1', key('gone')),
  call(packs.beginPolicyMove, 'b1'),
  call(packs.beginPolicyMove, 'b2'),
  call(packs.countMoves),
  call(packs.policyMovePage, 'b1', packClass.id, 2, 1000),
  call(packs.policyMovePage, 'b1', 'another', 100, 1),
  call(packs.policyMovePage, 'b1', 'another', 100, 1000),
  call(packs.advancePolicyMove, 'b1', key('b')),
  call(packs.policyMovePage, 'b1', 'another', 100, 1000),
  call(packs.endPolicyMove, 'b1'),
  call(packs.endPolicyMove, 'b2'),
  call(packs.countMoves),
  hot(packs.shrinkPack, 'pack-1', 10, 30),
  call(packs.shrinkPack, 'pack-1', 20, 30),
  call(packs.findPack, 'pack-1'),
  hot(objects.deleteObjectRow, 'b1', object('b', 'large'), 40),
  call(objects.findObject, 'b1', 'b'),

  call(uploads.insertUpload, 'b1', upload('u1', 'up/1')),
  call(uploads.insertUpload, 'b1', { ...upload('u2', 'up/1'), checksum: { algorithm: 'CRC32', type: 'COMPOSITE' } }),
  call(uploads.insertUpload, 'b1', upload('u3', 'up/2')),
  hot(uploads.getUpload, 'b1', 'up/1', 'u2'),
  call(uploads.getUpload, 'b1', 'up/2', 'u2'),
  hot(uploads.uploadsFrom, 'b1', key(''), '', undefined, 2),
  call(uploads.uploadsFrom, 'b1', key('up/1'), 'u1', key('up/2'), 9),
  hot(uploads.putPartRow, 'u1', part(1, 'part-a'), 50),
  call(uploads.putPartRow, 'u1', part(1, 'part-b'), 50),
  call(uploads.putPartRow, 'u1', part(2, 'part-c'), 50),
  hot(uploads.partsAfter, 'u1', 1, 10),
  hot(objects.partsOf, 'u1'),
  call(uploads.dropPart, 'u1', part(2, 'part-c'), 60),
  call(objects.putObjectRow, 'b1', { ...object('up/1', 'u1'), multipart: true }, undefined, 10),
  call(uploads.deleteUpload, 'u1'),
  call(uploads.deleteUpload, 'u1'),
  call(uploads.insertFinishedUpload, 'b1', 'u1', object('up/1', 'u1'), 70),
  call(uploads.findFinishedUpload, 'b1', 'up/1', 'u1'),
  call(objects.deleteObjectRow, 'b1', { ...object('up/1', 'u1'), multipart: true }, 80),
  call(uploads.forgetFinishedUploads, 71),
  call(uploads.findFinishedUpload, 'b1', 'up/1', 'u1'),

  call(bodies.buryBody, 'large', 20),
  hot(bodies.dueBodies, 1000, 20),
  call(segments.takeSegments, 'large', 1),
  call(segments.takeSegments, 'large', 10),
  call(segments.takeSegments, 'large', 10),
  call(segments.countPlacements),
  call(bodies.deleteDeadBody, 'large'),
  call(bodies.dueBodies, 1000, 20),
  call(buckets.deleteBucket, bucket),
  call(buckets.deleteBucket, other),
  call(buckets.deleteBucket, other),
  call(buckets.allBuckets),

  call(jobs.ensureLasting, 'house.sweep', 5),
  call(jobs.ensureLasting, 'house.sweep', 6),
  call(jobs.enqueueJob, job('j1', 't', 'the one')),
  call(jobs.enqueueJob, job('j2', 't', 'the one')),
  call(jobs.enqueueJob, job('j3', 't')),
  call(jobs.enqueueJob, job('j4', 'u')),
  call(jobs.enqueueJob, job('j5', '')),
  call(jobs.nextDue),
  call(jobs.dueTenants, '', new Set(['move']), 10, 9),
  call(jobs.dueTenants, 't', new Set(['move']), 10, 9),
  call(jobs.dueTenants, 't', new Set(['move']), 10, 1),
  call(jobs.dueTenants, 'u', new Set(['other']), 10, 9),
  call(jobs.takeJob, 'j1', 4, 20),
  call(jobs.takeJob, 'j1', 10, 20),
  call(jobs.takeJob, 'j1', 15, 25),
  call(jobs.checkFence, { job: 'j1', token: 2 }),
  call(jobs.checkFence, { job: 'j1', token: 1 }),
  call(jobs.renewJob, { job: 'j1', token: 2 }, 30),
  call(jobs.renewJob, { job: 'j1', token: 1 }, 40),
  call(
    jobs.saveProgress,
    { job: 'j1', token: 2 },
    { next: 'more', cursor: { at: 1 }, done: 1, total: 3, says: '1 of 3' },
    12,
  ),
  call(jobs.saveProgress, { job: 'j1', token: 1 }, { next: 'more', says: 'late' }, 12),
  call(jobs.saveFailure, { job: 'j1', token: 2 }, { failures: 1, because: 'so', givenUp: false }, 13, 14),
  call(jobs.saveFailure, { job: 'j1', token: 2 }, { failures: 1, because: 'so', givenUp: false }, 13, 14),
  call(jobs.hastenJob, 'j1', 13),
  call(jobs.liveSingles, 'move'),
  call(jobs.takeJob, 'j1', 14, 25),
  call(jobs.releaseJob, { job: 'j1', token: 3 }, 15),
  call(jobs.takeJob, 'j1', 15, 25),
  call(jobs.saveProgress, { job: 'j1', token: 4 }, { next: 'done', says: 'all' }, 16, 16),
  call(jobs.getJob, 't', 'j1'),
  call(jobs.getJob, 'u', 'j1'),
  call(jobs.takeJob, 'j3', 16, 25),
  call(jobs.saveFailure, { job: 'j3', token: 1 }, { failures: 8, because: 'no', givenUp: true }, 17, 17),
  call(jobs.endJob, 'j4', 18),
  call(jobs.endJob, 'house.sweep', 18),
  call(jobs.reviveJob, 'j3', 19),
  call(jobs.reviveJob, 'j4', 19),
  call(jobs.jobsOf, 't', undefined, 10),
  call(jobs.jobsOf, 't', 'j3', 10),
  call(jobs.forgetJobs, 0, 0, 10),
  call(jobs.jobsOf, 't', undefined, 10),
  call(epochs.keepFirstEpoch, 'b1', Buffer.from('first')),
  call(epochs.keepFirstEpoch, 'b1', Buffer.from('second')),
  call(epochs.findEpoch, 'b1', 1),
  call(epochs.findEpoch, 'b1', 2),
]
