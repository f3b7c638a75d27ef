import { type AccessKeys, verifyRequest } from '#access'
import { type Clock, type Log, type Offload, PelagoError, type Random, reasonOf } from '#kernel'
import type { ObjectStorage } from '#storage'
import { type Admission, openAdmission, type Seat } from './admission.ts'
import { addressOf } from './address.ts'
import { answerOf } from './errors.ts'
import { nameOf } from './name-of.ts'
import type { OperationName } from './operation-names.ts'
import { routeOf } from './route.ts'
import type { S3Config, S3Handler, S3Request, S3Response } from './wire.ts'
import { writeErrorXml } from './xml.ts'

export type S3Ports = {
  clock: Clock
  random: Random
  offload: Offload
  log: Log
  access: AccessKeys
  storage: ObjectStorage
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
  const verified = await verifyRequest(
    ports.access,
    // The signature is over the path as it is in the request, whichever style addresses the bucket.
    { method: request.method, path: address.path, query: address.query, headers: request.headers },
    ports.clock.now(),
  )
  const operation = routeOf(request, address)
  visit.operation = nameOf(operation)
  // Only whoever has signed: nobody uses up the share of a key that is not his.
  visit.seat = admission?.enter(verified.key.id)
  return operation({
    request,
    address,
    query: (name) => address.query.find(([found]) => found === name)?.[1],
    verified,
    call: { actor: verified.key.actor, tenant: verified.key.tenant, signal: request.signal, trace: visit.trace },
    storage: ports.storage,
    offload: ports.offload,
    clock: ports.clock,
    config,
  })
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
