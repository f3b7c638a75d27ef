import { type AccessKeys, accessError, isUnsigned, unsigned, type Verified, verifyRequest } from '#access'
import { type Call, type Clock, hasCode, type Log, type Offload, PelagoError, type Random, reasonOf } from '#kernel'
import type { ObjectStorage } from '#storage'
import { type Admission, openAdmission, type Seat } from './admission.ts'
import { addressOf } from './address.ts'
import { authorityOf, type BucketAccesses, type BucketPolicies } from './authorise.ts'
import { answerOf } from './errors.ts'
import { nameOf } from './name-of.ts'
import type { OperationName } from './operation-names.ts'
import { answerSts, isSts, type SessionGiver } from './sts.ts'
import { routeOf } from './route.ts'
import type { S3Config, S3Handler, S3Request, S3Response } from './wire.ts'
import { writeErrorXml } from './xml.ts'

export type S3Ports = {
  clock: Clock
  random: Random
  offload: Offload
  log: Log
  access: AccessKeys & BucketAccesses
  storage: ObjectStorage
  /** Policies of buckets. Without, they are answered as not built. */
  policies?: BucketPolicies | undefined
  /** Temporary credentials; the same. */
  sessions?: SessionGiver | undefined
}

/** The S3 endpoint: one function from request to answer. What goes wrong is an answer too, with the code that S3 has for it. */
export function createS3(ports: S3Ports, config: S3Config): S3Handler {
  const admission = config.admission && openAdmission(ports.clock, config.admission)
  return async (request) => {
    const visit: Visit = { trace: traceOf(ports.random.bytes(8)), operation: 'none', seat: undefined }
    let response: S3Response
    try {
      response = await handle(ports, config, admission, request, visit)
    } catch (error) {
      response = refuse(ports, request, visit.trace, error)
    }
    response.headers['x-amz-request-id'] = visit.trace
    response.operation = visit.operation
    response.done = visit.seat?.leave
    return response
  }
}

/** What becomes known of a request on its way, and is wanted however it ends. */
type Visit = { trace: string; operation: OperationName; seat: Seat | undefined }

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'))

function traceOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hex[byte]
  return text
}

async function handle(
  ports: S3Ports,
  config: S3Config,
  admission: Admission | undefined,
  request: S3Request,
  visit: Visit,
): Promise<S3Response> {
  const address = addressOf(request.target, request.headers.host ?? '', config.hostnames)
  if (isSts(request, address)) {
    visit.operation = 'Sts'
    visit.seat = admission?.enter(request.from ?? '')
    return answerSts(ports, request, address, visit.trace)
  }
  // The signature is over the path as it is in the request, whichever style addresses the bucket.
  const signed = { method: request.method, path: address.path, query: address.query, headers: request.headers }
  const begunAt = ports.clock.now()
  const verified = isUnsigned(signed) ? unsigned(signed) : await verifyRequest(ports.access, signed, begunAt)
  const { caller } = verified.key
  const query = (name: string) => address.query.find(([found]) => found === name)?.[1]
  const own: Call = { actor: caller.actor, tenant: caller.tenant, signal: request.signal, trace: visit.trace }
  const { presigned, time } = verified
  const authority = authorityOf(ports, config, { request, caller, presigned, time, query }, own)
  const route = routeOf(request, address)
  visit.operation = nameOf(route.run)
  // Only whoever has signed: nobody uses up the share of a key that is not his. Strangers share by where they come from.
  visit.seat = admission?.enter(caller.named ? verified.key.id : (request.from ?? ''))
  const asked = route.apart ? own : authority.may(route.action, address.bucket, address.key)
  const call = asked instanceof Promise ? await asked : asked
  const watched = caller.named && openWatch(ports, verified, begunAt)
  try {
    const response = await route.run({
      request: watched && !request.whole ? { ...request, body: watched.through(request.body) } : request,
      ...{ address, query, verified, call, authority, policies: ports.policies },
      ...{ storage: ports.storage, offload: ports.offload, clock: ports.clock, config },
    })
    const { body } = response
    if (watched && body && !(body instanceof Uint8Array)) response.body = watched.through(body)
    return response
  } catch (error) {
    // Only whoever may list a bucket learns that something is not in it.
    if (route.action === 's3:GetObject' && hasCode(error, 'object.missing'))
      await authority.may('s3:ListBucket', address.bucket)
    throw error
  }
}

/** So long a request may go on between two looks at whether its key is still good, milliseconds. */
const watchMs = 1000

/** Looks again and again whether the key is still good while a long body goes by, and ends it when it is not. */
function openWatch({ access, clock }: S3Ports, { key, token }: Verified, begunAt: number) {
  let lookedAt = begunAt
  const look = async () => {
    lookedAt = clock.now()
    if (!(await access.find(key.id, token))) throw accessError('access.unknown', { id: key.id })
  }
  return {
    async *through(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const piece of body) {
        if (clock.now() - lookedAt >= watchMs) await look()
        yield piece
      }
      // What is written becomes an object only now.
      if (clock.now() - lookedAt >= watchMs) await look()
    },
  }
}

function refuse(ports: S3Ports, request: S3Request, trace: string, error: unknown): S3Response {
  const { status, code, message } = answerOf(error)
  if (status >= 500 && !request.signal.aborted) {
    const reason = reasonOf(error, status === 500)
    ports.log('error', 's3.failed', { trace, method: request.method, code, reason })
  }
  if (status === 304) return { status, headers: {} }
  const headers: Record<string, string> = {
    'content-type': 'application/xml',
    ...(status === 503 && { 'retry-after': retryAfterOf(error) }),
  }
  if (request.method === 'HEAD') return { status, headers }
  const resource = (request.target.split('?')[0] ?? '').slice(0, 2048)
  return {
    status,
    headers,
    body: writeErrorXml({ Code: code, Message: message, Resource: resource, RequestId: trace }),
  }
}

/** In whole seconds (RFC 9110, 10.2.3). */
function retryAfterOf(error: unknown): string {
  const stated = error instanceof PelagoError ? error.details.retryAfter : undefined
  return typeof stated === 'number' ? String(stated) : '1'
}
