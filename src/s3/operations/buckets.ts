import { checkBucketName } from '../address.ts'
import { isoTime, type Operation, xmlResponse } from '../context.ts'
import { s3Error } from '../errors.ts'
import { limitOf } from './list-objects.ts'
import { requestBody, smallBody } from '../request-body.ts'
import { readXml, writeXml } from '../xml.ts'

const largestBody = 64 * 1024
const mostBuckets = 10_000

/** Without `max-buckets` as many as S3 tells of at once; a region other than this one has none. */
export const listBuckets: Operation = async ({ call, storage, query, config }) => {
  const prefix = query('prefix') ?? ''
  const token = query('continuation-token')
  const after = token === undefined ? '' : tokenName(token)
  const limit = limitOf(query('max-buckets'), 'max-buckets', { least: 1, most: mostBuckets })
  const region = query('bucket-region')
  const { buckets, next } =
    region === undefined || region === '' || region === config.region
      ? await storage.listBuckets(call, { prefix, after, limit })
      : { buckets: [] }
  return xmlResponse(
    writeXml('ListAllMyBucketsResult', {
      Owner: { ID: call.tenant, DisplayName: call.tenant },
      Buckets: {
        Bucket: buckets.map(({ name, createdAt }) => ({
          Name: name,
          CreationDate: isoTime(createdAt),
          BucketRegion: config.region,
        })),
      },
      Prefix: prefix === '' ? undefined : prefix,
      ContinuationToken: next === undefined ? undefined : Buffer.from(next).toString('base64url'),
    }),
  )
}

/** A token is the last name that was told. @throws s3.argument for one that is none of ours */
function tokenName(token: string): string {
  const name = Buffer.from(token, 'base64url').toString()
  if (!/^[a-z0-9.-]{3,63}$/.test(name))
    throw s3Error('s3.argument', { name: 'continuation-token', reason: 'it is none of ours' })
  return name
}

/** Creates a bucket with the default policy; where its bytes lie is said by policy, not by the location constraint. */
export const createBucket: Operation = async ({ request, address, verified, call, storage, offload }) => {
  checkBucketName(address.bucket)
  const length = request.headers['content-length']
  if (length !== undefined && length !== '0') {
    const text = await smallBody(requestBody(request, verified, offload), largestBody)
    if (text.trim() !== '') readXml(text, 'CreateBucketConfiguration')
  }
  await storage.createBucket(call, { name: address.bucket })
  return { status: 200, headers: { location: `/${address.bucket}` } }
}

export const headBucket: Operation = async ({ address, call, storage, config }) => {
  await storage.getBucket(call, address.bucket)
  return { status: 200, headers: { 'x-amz-bucket-region': config.region } }
}

export const deleteBucket: Operation = async ({ address, call, storage }) => {
  await storage.deleteBucket(call, address.bucket)
  return { status: 204, headers: {} }
}

export const getBucketLocation: Operation = async ({ address, call, storage, config }) => {
  await storage.getBucket(call, address.bucket)
  return xmlResponse(writeXml('LocationConstraint', config.region))
}

/** Versioning is not built; a bucket without it answers an empty state, which is the truth. */
export const getBucketVersioning: Operation = async ({ address, call, storage }) => {
  await storage.getBucket(call, address.bucket)
  return xmlResponse(writeXml('VersioningConfiguration', {}))
}

const grantee = 'Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'

/** There is one owner with full control and nobody else; that is what an ACL says then. */
export const getAcl: Operation = async ({ address, call, storage }) => {
  if (address.key === '') await storage.getBucket(call, address.bucket)
  else await storage.openObject(call, { bucket: address.bucket, key: address.key })
  const owner = { ID: call.tenant, DisplayName: call.tenant }
  return xmlResponse(
    writeXml('AccessControlPolicy', {
      Owner: owner,
      AccessControlList: { Grant: { [grantee]: owner, Permission: 'FULL_CONTROL' } },
    }),
  )
}

/** Tags cannot be set yet, so there are none; clients that copy ask for them. */
export const getObjectTagging: Operation = async ({ address, call, storage }) => {
  await storage.openObject(call, { bucket: address.bucket, key: address.key })
  return xmlResponse(writeXml('Tagging', { TagSet: {} }))
}
