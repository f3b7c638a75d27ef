import type { Address } from './address.ts'
import type { Action } from './authorise.ts'
import type { Operation } from './context.ts'
import { s3Error } from './errors.ts'
import * as policies from './operations/bucket-policy.ts'
import * as buckets from './operations/buckets.ts'
import { copyObject } from './operations/copy-object.ts'
import { deleteObject } from './operations/delete-object.ts'
import { deleteObjects } from './operations/delete-objects.ts'
import { getObject, headObject } from './operations/get-object.ts'
import { listObjectsV1, listObjectsV2 } from './operations/list-objects.ts'
import * as multipart from './operations/multipart.ts'
import { putObject } from './operations/put-object.ts'
import type { S3Request } from './wire.ts'

/** Query parameters that say how, not what. Every other one names another operation, which is not built unless it is listed. */
const plain = new Set([
  'prefix',
  'delimiter',
  'marker',
  'max-keys',
  'max-buckets',
  'bucket-region',
  'encoding-type',
  'list-type',
  'continuation-token',
  'start-after',
  'fetch-owner',
  'key-marker',
  'upload-id-marker',
  'max-uploads',
  'part-number-marker',
  'max-parts',
  'partNumber',
  'x-id',
  'max-buckets',
  'bucket-region',
])

/**
 * An operation, and what must be allowed for it on the bucket or object of the address. `apart`: what it is about stands in
 * its body, so it asks for each itself.
 */
export type Route = { run: Operation; action: Action; apart?: true }

const to = (run: Operation, action: Action): Route => ({ run, action })

const atService: Record<string, Route> = { GET: to(buckets.listBuckets, 's3:ListAllMyBuckets') }

const atBucket: Record<string, Route> = {
  GET: to(listObjectsV1, 's3:ListBucket'),
  'GET list-v2': to(listObjectsV2, 's3:ListBucket'),
  'GET location': to(buckets.getBucketLocation, 's3:GetBucketLocation'),
  'GET versioning': to(buckets.getBucketVersioning, 's3:GetBucketVersioning'),
  'GET acl': to(buckets.getAcl, 's3:GetBucketAcl'),
  'GET uploads': to(multipart.listUploads, 's3:ListBucketMultipartUploads'),
  'GET policy': to(policies.getBucketPolicy, 's3:GetBucketPolicy'),
  'GET policyStatus': to(policies.getBucketPolicyStatus, 's3:GetBucketPolicyStatus'),
  'PUT policy': to(policies.putBucketPolicy, 's3:PutBucketPolicy'),
  'DELETE policy': to(policies.deleteBucketPolicy, 's3:DeleteBucketPolicy'),
  PUT: to(buckets.createBucket, 's3:CreateBucket'),
  HEAD: to(buckets.headBucket, 's3:ListBucket'),
  DELETE: to(buckets.deleteBucket, 's3:DeleteBucket'),
  'POST delete': { run: deleteObjects, action: 's3:DeleteObject', apart: true },
}

const atObject: Record<string, Route> = {
  GET: to(getObject, 's3:GetObject'),
  HEAD: to(headObject, 's3:GetObject'),
  PUT: to(putObject, 's3:PutObject'),
  'PUT copy': to(copyObject, 's3:PutObject'),
  DELETE: to(deleteObject, 's3:DeleteObject'),
  'GET acl': to(buckets.getAcl, 's3:GetObjectAcl'),
  'GET tagging': to(buckets.getObjectTagging, 's3:GetObjectTagging'),
  'GET uploadId': to(multipart.listParts, 's3:ListMultipartUploadParts'),
  'POST uploads': to(multipart.createUpload, 's3:PutObject'),
  'POST uploadId': to(multipart.completeUpload, 's3:PutObject'),
  'PUT uploadId': to(multipart.putPart, 's3:PutObject'),
  'PUT uploadId copy': to(multipart.copyPart, 's3:PutObject'),
  'DELETE uploadId': to(multipart.abortUpload, 's3:AbortMultipartUpload'),
}

/** Every operation, for whoever walks over them. */
export const routes = { atService, atBucket, atObject }

/**
 * Finds the operation that a request names.
 * @throws s3.unbuilt for what S3 has and Pelago has not, s3.method for what S3 has not either
 */
export function routeOf({ method, headers }: S3Request, { bucket, key, query }: Address): Route {
  const table = bucket === '' ? atService : key === '' ? atBucket : atObject
  const copy = method === 'PUT' && headers['x-amz-copy-source'] !== undefined ? ' copy' : ''
  if (query.length === 0) {
    const plainly = table[copy === '' ? method : `${method}${copy}`]
    if (plainly) return plainly
  }
  const names = query
    .map(([name, value]) => (name === 'list-type' && value === '2' ? 'list-v2' : name))
    .filter((name) => !name.startsWith('X-Amz-') && !name.startsWith('response-'))
  const special = names.filter((name) => !plain.has(name) && !name.toLowerCase().startsWith('x-amz-'))
  const [what] = special
  const found = what === undefined ? table[`${method}${copy}`] : table[`${method} ${what}${copy}`]
  if (found && special.length <= 1) return found
  if (what !== undefined) throw s3Error('s3.unbuilt', { what: `${method} with ?${special.join('&')}` })
  throw s3Error('s3.method', { method })
}

/** Every operation that `routeOf` may find. */
export const operationsOfRoute = (): Operation[] =>
  [atService, atBucket, atObject].flatMap((table) => Object.values(table).map(({ run }) => run))
