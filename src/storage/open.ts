import type { Call } from '#kernel'
import type { JobKind } from '#work'
import { type Ground, openGround, type StoragePorts } from './ground.ts'
import type { ProviderHealth } from './health.ts'
import { openDirectoryNote } from './write/check-directory.ts'
import { getBucket, listBuckets } from './index/buckets.store.ts'
import type { Erasure, ErasurePlace } from './index/erasures.store.ts'
import { type KeyMove, listKeyMoves } from './index/key-moves.store.ts'
import { defaultLimits, type StorageLimits } from './limits.ts'
import type { ObjectStorage } from './object.ts'
import { createBucket, deleteBucket, setBucketEtags, setBucketPolicy } from './objects/buckets.ts'
import { completeUpload } from './objects/complete-upload.ts'
import { deleteObject } from './objects/delete-object.ts'
import { openObjectCount } from './objects/count-objects.ts'
import { listObjects } from './objects/list-objects.ts'
import { listUploads } from './objects/list-uploads.ts'
import { openObject } from './objects/open-object.ts'
import { putObject } from './objects/put-object.ts'
import { abortUpload, createUpload, listParts, putPart } from './objects/uploads.ts'
import type { KeyStore } from './seal/key-store.ts'
import { openPacker, type Packer } from './pack/packer.ts'
import { giveBackLeases } from './quota/give-back-leases.ts'
import { type Limits, setBucketQuota, setTenantQuota } from './quota/set-quota.ts'
import { type ShownQuota, showQuotas } from './quota/show-quotas.ts'
import { storageJobs } from './repair/jobs.ts'
import { probeRound } from './repair/probe-round.ts'
import { openRepairer } from './repair/repair-round.ts'
import { rotationJobs } from './rotate/jobs.ts'
import { type BucketEpochs, showEpochs, showErasures, unconfirmed } from './rotate/erasures.ts'
import { rotateBucketKey, rotatePackKeys } from './rotate/rotate-key.ts'
import {
  type ObjectWhere,
  reportStorage,
  reportTenant,
  type StorageReport,
  type TenantReport,
  whereObject,
} from './report.ts'

export type OpenStorage = {
  objects: ObjectStorage
  /** Repair, compaction, sweep and moves: the gateways of an index do them between them. */
  jobs: JobKind[]
  /** Looks after the providers once; every gateway does this for itself. */
  probe(signal: AbortSignal): Promise<void>
  provider(id: string): ProviderHealth
  report(): Promise<StorageReport & { repairing: number }>
  reportOf(tenant: string): Promise<TenantReport>
  where(call: Call, input: { bucket: string; key: string }): Promise<ObjectWhere>
  keys: KeyAdmin
  quotas: QuotaAdmin
  /** Gives back what it holds for itself, as it ends. */
  close(): Promise<void>
  /** Bytes held for writes and reads now; nothing once all is at rest. */
  memoryUsed(): number
}

/** What can be asked of a gateway's keys, and told to them. */
export type KeyAdmin = {
  rotateBucket(call: Call, name: string): Promise<KeyMove>
  rotatePacks(call: Call): Promise<KeyMove[]>
  /** Rotations that are under way. */
  moves(): Promise<KeyMove[]>
  roots: KeyStore['roots']
  epochs(call: Call, name: string): Promise<BucketEpochs>
  /** A page of what was erased. */
  erasures(call: Call, page: { after?: ErasurePlace; limit: number }): Promise<Erasure[]>
  /** What nobody here can know to be gone of keys that were destroyed then, in sentences. */
  unconfirmed(asker: { house: boolean }, destroyedAt: number): Promise<string[]>
}

/** What can be asked of quotas, and told to them. */
export type QuotaAdmin = {
  setBucket(call: Call, input: Limits & { bucket: string }): Promise<void>
  setTenant(call: Call, input: Limits & { tenant: string }): Promise<void>
  /** A page of those of a tenant and of its buckets. */
  show(input: { tenant: string; after: string; limit: number }): Promise<{ quotas: ShownQuota[]; next?: string }>
}

const movesListed = 1000

/** Opens storage over its ports. Nothing runs by itself: jobs are handed to the work plane. */
export function openStorage(ports: StoragePorts, limits: StorageLimits = defaultLimits): OpenStorage {
  const ground = openGround(ports, limits)
  const packer = openPacker(ground)
  const count = openObjectCount(ground)
  const repairer = openRepairer(ground)
  const noteDirectory = openDirectoryNote(ground)
  return {
    objects: objectsOf(ground, packer),
    jobs: [...storageJobs(ground, repairer), ...rotationJobs(ground)],
    async probe(signal) {
      const uncounted = (error: unknown) => ground.log('warn', 'objects.uncounted', { reason: String(error) })
      const unnoted = (error: unknown) => ground.log('warn', 'directory.unnoted', { reason: String(error) })
      ground.keys.prune()
      await Promise.all([probeRound(ground, signal), count.step().catch(uncounted), noteDirectory().catch(unnoted)])
    },
    provider: (id) => ground.health.of(id),
    report: async () => ({ ...(await reportStorage(ground, count)), repairing: repairer.busy() }),
    reportOf: (tenant) => reportTenant(ground, tenant),
    where: (call, input) => whereObject(ground, call.tenant, input),
    keys: {
      rotateBucket: (call, name) => rotateBucketKey(ground, call, name),
      rotatePacks: (call) => rotatePackKeys(ground, call),
      moves: () => ground.index.read(() => listKeyMoves(movesListed)),
      roots: ground.keys.roots,
      epochs: (call, name) => showEpochs(ground, call, name),
      erasures: (call, page) => showErasures(ground, call, page),
      unconfirmed: (asker, destroyedAt) => unconfirmed(ground, asker, destroyedAt),
    },
    quotas: {
      setBucket: (call, input) => setBucketQuota(ground, call, input),
      setTenant: (call, input) => setTenantQuota(ground, call, input),
      show: (input) => showQuotas(ground, input),
    },
    close: () => giveBackLeases(ground),
    memoryUsed: () => ground.writeMemory.used() + ground.readMemory.used(),
  }
}

function objectsOf(ground: Ground, packer: Packer): ObjectStorage {
  const { index } = ground
  return {
    createBucket: (call, input) => createBucket(ground, call, input),
    deleteBucket: (call, name) => deleteBucket(ground, call, name),
    getBucket: (call, name) => index.read(() => getBucket(call.tenant, name)),
    listBuckets: (call, input) => index.read(() => listBuckets(call.tenant, input)),
    setBucketPolicy: (call, input) => setBucketPolicy(ground, call, input),
    setBucketEtags: (call, input) => setBucketEtags(ground, call, input),
    putObject: (call, input) => putObject(ground, packer, call, input),
    openObject: (call, input) => openObject(ground, call, input),
    deleteObject: (call, input) => deleteObject(ground, call, input),
    listObjects: (call, input) => index.read(() => listObjects(call.tenant, input)),
    createUpload: (call, input) => createUpload(ground, call, input),
    putPart: (call, input) => putPart(ground, call, input),
    listParts: (call, input) => listParts(ground, call, input),
    listUploads: (call, input) => index.read(() => listUploads(call.tenant, input)),
    completeUpload: (call, input) => completeUpload(ground, call, input),
    abortUpload: (call, input) => abortUpload(ground, call, input),
  }
}
