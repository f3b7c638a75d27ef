import type { Operation } from './context.ts'
import * as policies from './operations/bucket-policy.ts'
import * as buckets from './operations/buckets.ts'
import { copyObject } from './operations/copy-object.ts'
import { deleteObject } from './operations/delete-object.ts'
import { deleteObjects } from './operations/delete-objects.ts'
import { getObject, headObject } from './operations/get-object.ts'
import { listObjectsV1, listObjectsV2 } from './operations/list-objects.ts'
import * as multipart from './operations/multipart.ts'
import { putObject } from './operations/put-object.ts'

import type { OperationName } from './operation-names.ts'

const named: Partial<Record<OperationName, Operation>> = {
  ListBuckets: buckets.listBuckets,
  CreateBucket: buckets.createBucket,
  HeadBucket: buckets.headBucket,
  DeleteBucket: buckets.deleteBucket,
  GetBucketLocation: buckets.getBucketLocation,
  GetBucketVersioning: buckets.getBucketVersioning,
  GetAcl: buckets.getAcl,
  GetObjectTagging: buckets.getObjectTagging,
  GetBucketPolicy: policies.getBucketPolicy,
  GetBucketPolicyStatus: policies.getBucketPolicyStatus,
  PutBucketPolicy: policies.putBucketPolicy,
  DeleteBucketPolicy: policies.deleteBucketPolicy,
  ListObjects: listObjectsV1,
  ListObjectsV2: listObjectsV2,
  GetObject: getObject,
  HeadObject: headObject,
  PutObject: putObject,
  CopyObject: copyObject,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  CreateMultipartUpload: multipart.createUpload,
  UploadPart: multipart.putPart,
  UploadPartCopy: multipart.copyPart,
  ListParts: multipart.listParts,
  ListMultipartUploads: multipart.listUploads,
  CompleteMultipartUpload: multipart.completeUpload,
  AbortMultipartUpload: multipart.abortUpload,
}

const names = new Map(Object.entries(named).map(([name, operation]) => [operation, name as OperationName]))

/** What S3 calls an operation. */
export const nameOf = (operation: Operation): OperationName => names.get(operation) ?? 'other'
