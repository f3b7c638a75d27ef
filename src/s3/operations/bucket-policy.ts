import type { BucketPolicies } from '../authorise.ts'
import { type Context, type Operation, xmlResponse } from '../context.ts'
import { s3Error } from '../errors.ts'
import { requestBody, smallBody } from '../request-body.ts'
import { writeXml } from '../xml.ts'

const largestBody = 64 * 1024

export const putBucketPolicy: Operation = async (context) => {
  const { request, address, verified, call, offload } = context
  const document = await smallBody(requestBody(request, verified, offload), largestBody)
  await policiesOf(context).set(call, { bucket: address.bucket, document })
  return { status: 204, headers: {} }
}

export const getBucketPolicy: Operation = async (context) => {
  const found = await policiesOf(context).get(context.call, context.address.bucket)
  if (!found) throw s3Error('s3.no-policy', { bucket: context.address.bucket })
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(found.document) }
}

/** Public is what really lets in everybody: a policy that does, of a tenant that is open to the public. */
export const getBucketPolicyStatus: Operation = async (context) => {
  const found = await policiesOf(context).get(context.call, context.address.bucket)
  if (!found) throw s3Error('s3.no-policy', { bucket: context.address.bucket })
  return xmlResponse(writeXml('PolicyStatus', { IsPublic: found.public }))
}

export const deleteBucketPolicy: Operation = async (context) => {
  await policiesOf(context).delete(context.call, context.address.bucket)
  return { status: 204, headers: {} }
}

function policiesOf({ policies }: Context): BucketPolicies {
  if (!policies) throw s3Error('s3.unbuilt', { what: 'Policies of buckets, where no people are known,' })
  return policies
}
