import { hash, timingSafeEqual } from 'node:crypto'
import type { Verified } from '#access'
import type { Offload } from '#kernel'
import type { Body, Checksum, ChecksumAlgorithm } from '#storage'
import { decodeChunks, decodeWhole } from './aws-chunked.ts'
import { checksumAlgorithms, checksumHeader, checksumOf, openChecksum } from './checksum.ts'
import { s3Error } from './errors.ts'
import type { S3Request } from './wire.ts'

const largestPut = 5 * 1024 ** 3
/** Up to this size a body is taken whole. */
const wholeMost = 64 * 1024

const streams = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailers: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailers: true },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailers: true },
} as const

/**
 * The bytes of a PUT, freed of their framing, with everything checked that the client said about them: length, hash of
 * the payload, Content-MD5, checksum in header or trailer.
 * @param wanted computed also when the client states none, for a copy of its own
 */
export function requestBody(request: S3Request, verified: Verified, offload: Offload): Body {
  const { headers } = request
  const stream = streams[verified.payload as keyof typeof streams] as { signed: boolean; trailers: boolean } | undefined
  if (!stream && verified.payload.startsWith('STREAMING-'))
    throw s3Error('s3.unbuilt', { what: `The payload ${verified.payload}` })
  const size = lengthOf(headers, stream !== undefined)
  const md5 = md5Of(headers['content-md5'])
  const promise = checksumPromise(headers, stream?.trailers ?? false)
  const sha256 = /^[0-9a-f]{64}$/.test(verified.payload) ? verified.payload : undefined

  let stated = promise?.value
  /** Checksum of the bytes, in base64. */
  let digest: string | undefined
  /** Hash of the payload, in hex. */
  let payload: string | undefined
  const framing = stream && { trailers: stream.trailers, ...(stream.signed && { signed: verified }) }
  const onTrailers = (fields: Map<string, string>) => {
    if (promise) stated ??= fields.get(checksumHeader[promise.algorithm])
  }

  async function* chunks(): AsyncGenerator<Uint8Array> {
    const checksum = promise && openChecksum(promise.algorithm, offload)
    const signed = sha256 === undefined ? undefined : offload.hash('sha256')
    try {
      for await (const chunk of framing ? decodeChunks(request.body, framing, onTrailers) : request.body) {
        await checksum?.update(chunk)
        await signed?.update(chunk)
        yield chunk
      }
      digest = checksum && Buffer.from(await checksum.digest()).toString('base64')
      payload = signed && Buffer.from(await signed.digest()).toString('hex')
    } finally {
      checksum?.drop()
      signed?.drop()
    }
  }

  /** So few bytes are looked at where they are: the way to another thread and back would take longer. */
  const whole = async (come: Promise<Uint8Array>): Promise<Uint8Array> => {
    const sent = await come
    const bytes = framing ? decodeWhole(sent, framing, onTrailers) : sent
    if (bytes.length !== size) throw s3Error('s3.incomplete', { reason: 'its length is not the one that was stated' })
    if (promise) digest = checksumOf(promise.algorithm, bytes)
    if (sha256 !== undefined) payload = hash('sha256', bytes, 'hex')
    return bytes
  }

  const { whole: come } = request
  return {
    size,
    chunks: { [Symbol.asyncIterator]: chunks },
    ...(come && size <= wholeMost && { whole: () => whole(come()) }),
    vouched: md5 === undefined && (promise !== undefined || sha256 !== undefined || stream?.signed === true),
    finish(computed) {
      if (md5 && !(computed && timingSafeEqual(md5, computed))) throw s3Error('s3.digest', { name: 'Content-MD5' })
      if (payload !== sha256) throw s3Error('s3.sha256')
      if (!promise || digest === undefined) return undefined
      if (stated === undefined)
        throw s3Error('s3.incomplete', { reason: `the trailer ${checksumHeader[promise.algorithm]} is missing` })
      if (stated !== digest) throw s3Error('s3.digest', { name: checksumHeader[promise.algorithm] })
      return { algorithm: promise.algorithm, value: digest, type: 'FULL_OBJECT' } satisfies Checksum
    },
  }
}

function lengthOf(headers: S3Request['headers'], framed: boolean): number {
  const text = framed ? headers['x-amz-decoded-content-length'] : headers['content-length']
  if (text === undefined) throw s3Error('s3.length')
  const size = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(size))
    throw s3Error('s3.argument', { name: 'The length', reason: 'it is no number' })
  if (size > largestPut) throw s3Error('s3.large', { limit: largestPut })
  return size
}

function md5Of(header: string | undefined): Uint8Array | undefined {
  if (header === undefined) return undefined
  const md5 = Buffer.from(header, 'base64')
  if (md5.length !== 16 || md5.toString('base64') !== header) throw s3Error('s3.digest-form')
  return md5
}

/**
 * Which checksum the client promises: its value in a header, or to come in a trailer. One at most. What a presigned URL
 * says in its query does not count: SDKs state that of an empty body there.
 */
function checksumPromise(
  headers: S3Request['headers'],
  trailers: boolean,
): { algorithm: ChecksumAlgorithm; value?: string } | undefined {
  const stated = checksumAlgorithms.filter((algorithm) => headers[checksumHeader[algorithm]] !== undefined)
  if (stated.length > 1) throw s3Error('s3.request', { reason: 'Only one checksum may be stated.' })
  const [algorithm] = stated
  if (algorithm) {
    const value = headers[checksumHeader[algorithm]] as string
    if (Buffer.from(value, 'base64').toString('base64') !== value) {
      throw s3Error('s3.request', { reason: `The value of ${checksumHeader[algorithm]} is not base64.` })
    }
    return { algorithm, value }
  }
  const announced = trailers ? headers['x-amz-trailer']?.trim().toLowerCase() : undefined
  if (announced === undefined) return undefined
  const found = checksumAlgorithms.find((candidate) => checksumHeader[candidate] === announced)
  if (!found) throw s3Error('s3.request', { reason: `The trailer ${announced} is not understood.` })
  return { algorithm: found }
}

/** Reads a small body whole, for operations that take XML, and checks what the client said about it. @throws s3.large */
export async function smallBody(body: Body, limit: number): Promise<string> {
  if (body.size > limit) throw s3Error('s3.large', { limit })
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body.chunks) {
    size += chunk.length
    if (size > limit) throw s3Error('s3.large', { limit })
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  body.finish(hash('md5', bytes, 'buffer'))
  return bytes.toString()
}
