/** Sealed, erasure-coded objects over a pool of providers. Knows no wire protocol and no people. */
export { storageError } from './errors.ts'
export type { Disk, DiskFile } from './node/disk.ts'
export type {
  Body,
  Bucket,
  ByteRange,
  Checksum,
  ChecksumAlgorithm,
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
export type { ShardStore, ShardStoreStatus, ShardWriter } from './ports.ts'
