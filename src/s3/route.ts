import type { Address } from './address.ts'
import type { Operation } from './context.ts'
import { s3Error } from './errors.ts'
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

const atService: Record<string, Operation> = { GET: buckets.listBuckets }

const atBucket: Record<string, Operation> = {
  GET: listObjectsV1,
  'GET list-v2': listObjectsV2,
  'GET location': buckets.getBucketLocation,
  'GET versioning': buckets.getBucketVersioning,
  'GET acl': buckets.getAcl,
  'GET uploads': multipart.listUploads,
  PUT: buckets.createBucket,
  HEAD: buckets.headBucket,
  DELETE: buckets.deleteBucket,
  'POST delete': deleteObjects,
}

const atObject: Record<string, Operation> = {
  GET: getObject,
  HEAD: headObject,
  PUT: putObject,
  'PUT copy': copyObject,
  DELETE: deleteObject,
  'GET acl': buckets.getAcl,
  'GET tagging': buckets.getObjectTagging,
  'GET uploadId': multipart.listParts,
  'POST uploads': multipart.createUpload,
  'POST uploadId': multipart.completeUpload,
  'PUT uploadId': multipart.putPart,
  'PUT uploadId copy': multipart.copyPart,
  'DELETE uploadId': multipart.abortUpload,
}

/**
 * Finds the operation that a request names.
 * @throws s3.unbuilt for what S3 has and Pelago has not, s3.method for what S3 has not either
 */
export function routeOf({ method, headers }: S3Request, { bucket, key, query }: Address): Operation {
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
  [atService, atBucket, atObject].flatMap((table) => Object.values(table))
