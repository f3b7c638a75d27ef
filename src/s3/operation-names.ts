/**
 * Operations by the names that S3 has for them, for metrics and traces. `none`: it was refused before anybody knew what it
 * wanted; `other`: an operation that has no name here.
 */
export const operationNames = [
  'ListBuckets',
  'CreateBucket',
  'HeadBucket',
  'DeleteBucket',
  'GetBucketLocation',
  'GetBucketVersioning',
  'GetAcl',
  'GetObjectTagging',
  'ListObjects',
  'ListObjectsV2',
  'GetObject',
  'HeadObject',
  'PutObject',
  'CopyObject',
  'DeleteObject',
  'DeleteObjects',
  'CreateMultipartUpload',
  'UploadPart',
  'UploadPartCopy',
  'ListParts',
  'ListMultipartUploads',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'GetBucketPolicy',
  'GetBucketPolicyStatus',
  'PutBucketPolicy',
  'DeleteBucketPolicy',
  'Sts',
  'none',
  'other',
] as const

export type OperationName = (typeof operationNames)[number]
