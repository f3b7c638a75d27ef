/** Sealed, erasure-coded objects over a pool of providers. Knows no wire protocol and no people. */
export { storageError } from './errors.ts'
export type { StoragePorts } from './ground.ts'
export { storageMetrics } from './metrics.ts'
export type { ProviderHealth } from './health.ts'
export { getBucket, holdBucket } from './index/buckets.store.ts'
export { indexMigrations } from './index/migrations.ts'
export { defaultLimits, type StorageLimits } from './limits.ts'
export type { Disk, DiskFile, NewFile } from './node/disk.ts'
export { bundling } from './node/state.ts'
export { type Node, openNode } from './node/node.ts'
export type { NodeConfig } from './node/state.ts'
export type {
  Body,
  Bucket,
  ByteRange,
  Checksum,
  ChecksumAlgorithm,
  Etags,
  ListEntry,
  ListInput,
  ListPage,
  ObjectHeaders,
  ObjectInfo,
  ObjectStorage,
  OpenObject,
  PartInfo,
  Upload,
  WriteCondition,
} from './object.ts'
export { type KeyAdmin, type OpenStorage, openStorage } from './open.ts'
export { openReplayGuard } from './replay-guard.ts'
export {
  bodyTagBytes,
  openBodyTag,
  publicKeyOf,
  rawPublicKey,
  refusalOf,
  requestMs,
  type ShardRequest,
  sharedKey,
  signedHeaders,
  signShardRequest,
} from './shard-auth.ts'
export type { ShardStore, ShardStoreStatus, ShardWriter } from './ports.ts'
export type { Limits as QuotaLimits } from './quota/set-quota.ts'
export type { ShownQuota } from './quota/show-quotas.ts'
export type { MarginCount, ObjectWhere, StorageReport } from './report.ts'
export { keptEpochs, type KeptEpoch, keyMigrations, putEpoch } from './seal/epochs.store.ts'
export { defaultKeyLimits, epochContext, type KeyLimits, type KeyStore, openKeyStore } from './seal/key-store.ts'
export type { Kit } from './kit/kits.store.ts'
export { type KitFacts, type Kits, type KitStatus, openKits } from './kit/kits.ts'
export { combineShares, readShare, type Share, splitSecret, writeShare } from './kit/shares.ts'
export type { RootKey, WrappedByRoot } from './seal/root-key.ts'
export type { BufferPool } from './buffer-pool.ts'
