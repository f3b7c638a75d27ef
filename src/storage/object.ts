import type { Call } from '#kernel'
import type { Policy } from '#pool'

/** `md5`: as S3 has it. `opaque`: none of the bytes, where a checksum or a signed hash vouches for them. */
export type Etags = 'md5' | 'opaque'

export type Bucket = {
  id: string
  name: string
  tenant: string
  createdAt: number
  policy: Policy
  policyEpoch: number
  etags: Etags
  /** Grows with every change to the bucket's settings. */
  revision: number
  /** Epochs of its keys below this one are being destroyed: nothing wrapped by them commits. */
  keyFloor: number
  /** Which quotas what is in it counts against, as bits. */
  quotas: number
}

export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256'

/** A checksum as S3 states it: base64, for parts composed with a `-n` suffix. */
export type Checksum = { algorithm: ChecksumAlgorithm; value: string; type: 'FULL_OBJECT' | 'COMPOSITE' }

/** What S3 keeps with an object: lower-case header names (`content-type`, `cache-control`, …, `x-amz-meta-*`) to values. */
export type ObjectHeaders = Record<string, string>

export type ObjectInfo = {
  key: string
  /** 32 hex digits, new at every write. */
  version: string
  size: number
  /** Without quotes: hex MD5, `hex-n` for multipart, `hex-0` where it is opaque. */
  etag: string
  /** Milliseconds since 1970 UTC. */
  modifiedAt: number
  headers: ObjectHeaders
  checksum?: Checksum
  /** Sizes of the parts in order, for an object made by multipart. */
  parts?: PartInfo[]
}

export type PartInfo = { number: number; size: number; etag: string; modifiedAt: number; checksum?: Checksum }

/** `ifNoneMatch` is S3's `If-None-Match: *`; `ifMatch` an ETag without quotes, or `*` for "any". */
export type WriteCondition = { ifNoneMatch?: true; ifMatch?: string }

/** Bytes on their way in. Every chunk becomes the consumer's, which may release its memory. */
export type Body = {
  /** Exactly how many bytes the chunks hold. */
  size: number
  chunks: AsyncIterable<Uint8Array>
  /**
   * All `size` bytes at once, which costs less than `chunks`. Only small bodies have it. A consumer takes either this, once,
   * or the chunks. The bytes become the consumer's. Rejects when the sender breaks off or sends another number of bytes.
   */
  whole?(): Promise<Uint8Array>
  /** Something other than an MD5 vouches for the bytes, a checksum or a signed hash; `finish` checks it without an MD5. */
  vouched?: boolean
  /**
   * Called once after the last byte and before the commit, with the MD5 of all bytes, which may be missing only where they
   * are `vouched` for: the place to check what the client promised. Throws to refuse; nothing is stored then.
   */
  finish(md5: Uint8Array | undefined): Checksum | undefined
}

/** Inclusive, both within the object. */
export type ByteRange = { first: number; last: number }

export type OpenObject = {
  info: ObjectInfo
  /** All of its bytes, where they are few and at hand, so that nothing needs to be read. They stay storage's: nobody changes or releases them. */
  ready?: Uint8Array
  /** Reads the whole object, or a range; every chunk belongs to the consumer. */
  read(range: ByteRange | undefined): AsyncIterable<Uint8Array>
}

export type ListInput = {
  bucket: string
  prefix: string
  /** Empty for none. */
  delimiter: string
  /** Only entries behind this key, or behind this common prefix and all that it stands for. Empty for the start. */
  after: string
  limit: number
}
/** What a listing tells of an object. */
export type ListedObject = Pick<ObjectInfo, 'key' | 'size' | 'etag' | 'modifiedAt' | 'checksum'>
export type ListEntry = { kind: 'object'; info: ListedObject } | { kind: 'prefix'; prefix: string }
/** `next` is the `after` of the next page; absent at the end. */
export type ListPage = { entries: ListEntry[]; next?: string }

export type Upload = {
  id: string
  key: string
  createdAt: number
  checksum?: { algorithm: ChecksumAlgorithm; type: Checksum['type'] }
}

/** Buckets whose names begin with `prefix` and come behind `after`, in the order of their bytes. */
export type BucketListInput = { prefix: string; after: string; limit: number }
/** `next`: there are more behind this name. */
export type BucketPage = { buckets: Bucket[]; next?: string }

/**
 * What the S3 edge asks of storage. Errors carry the codes of storage/errors.ts:
 * bucket.missing, bucket.exists, bucket.owned, bucket.filled, object.missing, object.precondition, object.conflict,
 * upload.missing, part.invalid, part.order, part.small, policy.unsatisfiable, pool.short, pool.full.
 */
export type ObjectStorage = {
  createBucket(call: Call, input: { name: string; policy?: Policy; etags?: Etags }): Promise<Bucket>
  deleteBucket(call: Call, name: string): Promise<void>
  getBucket(call: Call, name: string): Promise<Bucket>
  listBuckets(call: Call, input: BucketListInput): Promise<BucketPage>
  setBucketPolicy(call: Call, input: { name: string; policy: Policy; expected?: number }): Promise<Bucket>
  /** What ETags the writes have that begin from now on. */
  setBucketEtags(call: Call, input: { name: string; etags: Etags; expected?: number }): Promise<Bucket>

  putObject(
    call: Call,
    input: { bucket: string; key: string; headers: ObjectHeaders; condition: WriteCondition; body: Body },
  ): Promise<ObjectInfo>
  /** With `part`, the info and bytes of that part alone. */
  openObject(call: Call, input: { bucket: string; key: string; part?: number }): Promise<OpenObject>
  /** Deleting what is not there is no error, unless `ifMatch` is given. */
  deleteObject(call: Call, input: { bucket: string; key: string; condition: WriteCondition }): Promise<void>
  listObjects(call: Call, input: ListInput): Promise<ListPage>

  createUpload(
    call: Call,
    input: { bucket: string; key: string; headers: ObjectHeaders; checksum?: Upload['checksum'] },
  ): Promise<Upload>
  putPart(
    call: Call,
    input: { bucket: string; key: string; upload: string; number: number; body: Body },
  ): Promise<PartInfo>
  listParts(
    call: Call,
    input: { bucket: string; key: string; upload: string; after: number; limit: number },
  ): Promise<{ upload: Upload; parts: PartInfo[]; more: boolean }>
  listUploads(
    call: Call,
    input: { bucket: string; prefix: string; delimiter: string; afterKey: string; afterId: string; limit: number },
  ): Promise<{ uploads: Upload[]; prefixes: string[]; next?: { key: string; id: string } }>
  /**
   * Makes the object out of the parts named. `checksum` says how the whole checksum follows from the parts'.
   * Answers again with the same result when it is repeated within a day.
   */
  completeUpload(
    call: Call,
    input: {
      bucket: string
      key: string
      upload: string
      parts: { number: number; etag: string; checksum?: string }[]
      condition: WriteCondition
      combine(parts: PartInfo[]): Checksum | undefined
    },
  ): Promise<ObjectInfo>
  abortUpload(call: Call, input: { bucket: string; key: string; upload: string }): Promise<void>
}
