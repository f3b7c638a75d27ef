import { hasCode, turn } from '#kernel'
import type { Checksum, PartInfo, Upload } from '#storage'
import { checksumAlgorithms, type ChecksumPlan, combineChecksums } from '../checksum.ts'
import { rangeOf, writeCondition } from '../conditions.ts'
import { type Context, isoTime, type Operation, quoted, xmlResponse } from '../context.ts'
import { copiedBody, openSource } from '../copy-source.ts'
import { s3Error } from '../errors.ts'
import { checksumHeaders, keptHeaders } from '../object-headers.ts'
import { requestBody, smallBody } from '../request-body.ts'
import { type Element, readXmlList, textOf, writeXml } from '../xml.ts'
import { encoderOf, limitOf } from './list-objects.ts'

const largestBody = 4 * 1024 * 1024
const mostParts = 10_000

export const createUpload: Operation = async ({ request, address, call, storage }) => {
  const plan = planOf(request.headers['x-amz-checksum-algorithm'], request.headers['x-amz-checksum-type'])
  const upload = await storage.createUpload(call, {
    bucket: address.bucket,
    key: address.key,
    headers: keptHeaders(request.headers),
    ...(plan && { checksum: plan }),
  })
  const headers = plan && { 'x-amz-checksum-algorithm': plan.algorithm, 'x-amz-checksum-type': plan.type }
  return xmlResponse(
    writeXml('InitiateMultipartUploadResult', { Bucket: address.bucket, Key: address.key, UploadId: upload.id }),
    headers,
  )
}

function planOf(algorithm: string | undefined, type: string | undefined): ChecksumPlan | undefined {
  if (algorithm === undefined) return undefined
  const found = checksumAlgorithms.find((candidate) => candidate === algorithm.toUpperCase())
  if (!found) throw s3Error('s3.request', { reason: `The checksum ${algorithm} is not known.` })
  const fullOnly = found === 'CRC64NVME'
  const wanted = type?.toUpperCase() ?? (fullOnly ? 'FULL_OBJECT' : 'COMPOSITE')
  const possible = wanted === 'COMPOSITE' ? !fullOnly : wanted === 'FULL_OBJECT' && !found.startsWith('SHA')
  if (!possible) throw s3Error('s3.request', { reason: `${found} has no checksum of the type ${wanted}.` })
  return { algorithm: found, type: wanted as ChecksumPlan['type'] }
}

export const putPart: Operation = async (context) => {
  const { request, address, verified, call, storage, offload } = context
  const part = await storage.putPart(call, {
    bucket: address.bucket,
    key: address.key,
    ...numbered(context),
    body: requestBody(request, verified, offload),
  })
  return { status: 200, headers: { etag: quoted(part.etag), ...checksumHeaders(part.checksum) } }
}

/** A part out of an object that is stored already, or out of a range of it. */
export const copyPart: Operation = async (context) => {
  const { request, address, call, storage, offload } = context
  const source = await openSource(context)
  const header = request.headers['x-amz-copy-source-range']
  const range = rangeOf(header, source.info.size)
  if (header !== undefined && !range)
    throw s3Error('s3.argument', { name: 'x-amz-copy-source-range', reason: 'it must be bytes=FIRST-LAST' })
  const { upload, number } = numbered(context)
  const listed = await storage.listParts(call, { bucket: address.bucket, key: address.key, upload, after: 0, limit: 0 })
  const body = copiedBody(source, range, listed.upload.checksum?.algorithm, offload)
  const part = await storage.putPart(call, { bucket: address.bucket, key: address.key, upload, number, body })
  return xmlResponse(
    writeXml('CopyPartResult', {
      LastModified: isoTime(part.modifiedAt),
      ETag: quoted(part.etag),
      ...checksumXml(part.checksum),
    }),
  )
}

function numbered({ query }: Context): { upload: string; number: number } {
  const number = Number(query('partNumber'))
  if (!Number.isInteger(number) || number < 1 || number > mostParts) {
    throw s3Error('s3.argument', { name: 'partNumber', reason: `it must be from 1 to ${mostParts}` })
  }
  return { upload: query('uploadId') ?? '', number }
}

export const listParts: Operation = async ({ address, query, call, storage }) => {
  const after = Number(query('part-number-marker') ?? 0)
  const limit = limitOf(query('max-parts'), 'max-parts')
  const encode = encoderOf(query('encoding-type'))
  const upload = query('uploadId') ?? ''
  const found = await storage.listParts(call, { bucket: address.bucket, key: address.key, upload, after, limit })
  const last = found.parts[found.parts.length - 1]
  const owner = { ID: call.tenant, DisplayName: call.tenant }
  return xmlResponse(
    writeXml('ListPartsResult', {
      Bucket: address.bucket,
      Key: encode(address.key),
      UploadId: upload,
      Initiator: owner,
      Owner: owner,
      StorageClass: 'STANDARD',
      ChecksumAlgorithm: found.upload.checksum?.algorithm,
      ChecksumType: found.upload.checksum?.type,
      PartNumberMarker: after,
      NextPartNumberMarker: last?.number ?? after,
      MaxParts: limit,
      IsTruncated: found.more,
      Part: found.parts.map((part) => ({
        PartNumber: part.number,
        LastModified: isoTime(part.modifiedAt),
        ETag: quoted(part.etag),
        Size: part.size,
        ...checksumXml(part.checksum),
      })),
    }),
  )
}

export const listUploads: Operation = async ({ address, query, call, storage }) => {
  const limit = limitOf(query('max-uploads'), 'max-uploads')
  const encode = encoderOf(query('encoding-type'))
  const [prefix, delimiter] = [query('prefix') ?? '', query('delimiter') ?? '']
  const afterKey = query('key-marker') ?? ''
  const afterId = afterKey === '' ? '' : (query('upload-id-marker') ?? '')
  const page =
    limit === 0
      ? { uploads: [], prefixes: [], next: undefined }
      : await storage.listUploads(call, { bucket: address.bucket, prefix, delimiter, afterKey, afterId, limit })
  const owner = { ID: call.tenant, DisplayName: call.tenant }
  return xmlResponse(
    writeXml('ListMultipartUploadsResult', {
      Bucket: address.bucket,
      KeyMarker: encode(afterKey),
      UploadIdMarker: afterId,
      NextKeyMarker: page.next && encode(page.next.key),
      NextUploadIdMarker: page.next?.id,
      Prefix: encode(prefix),
      Delimiter: delimiter === '' ? undefined : encode(delimiter),
      EncodingType: query('encoding-type'),
      MaxUploads: limit,
      IsTruncated: page.next !== undefined,
      Upload: page.uploads.map((upload: Upload) => ({
        Key: encode(upload.key),
        UploadId: upload.id,
        Initiator: owner,
        Owner: owner,
        StorageClass: 'STANDARD',
        Initiated: isoTime(upload.createdAt),
        ChecksumAlgorithm: upload.checksum?.algorithm,
        ChecksumType: upload.checksum?.type,
      })),
      CommonPrefixes: page.prefixes.map((common) => ({ Prefix: encode(common) })),
    }),
  )
}

export const completeUpload: Operation = async (context) => {
  const { request, address, query, verified, call, storage, offload, clock } = context
  const upload = query('uploadId') ?? ''
  const text = await smallBody(requestBody(request, verified, offload), largestBody)
  const named = await readXmlList(text, 'CompleteMultipartUpload', 'Part', () => turn(clock))
  const parts = named.map(namedPart)
  if (parts.length === 0 || parts.length > mostParts)
    throw s3Error('s3.xml', { reason: 'it must name at least one part' })
  const plan = await planOfUpload(context, upload)
  const info = await storage.completeUpload(call, {
    bucket: address.bucket,
    key: address.key,
    upload,
    parts,
    condition: writeCondition(request.headers),
    combine: (stored) => (plan ? combineWhole(plan, stored, request.headers) : undefined),
  })
  return xmlResponse(
    writeXml('CompleteMultipartUploadResult', {
      Location: `/${address.bucket}/${address.key}`,
      Bucket: address.bucket,
      Key: address.key,
      ETag: quoted(info.etag),
      ...checksumXml(info.checksum),
    }),
  )
}

/** A repeated completion finds no upload any more, but its answer. */
async function planOfUpload({ address, call, storage }: Context, upload: string): Promise<ChecksumPlan | undefined> {
  try {
    const found = await storage.listParts(call, {
      bucket: address.bucket,
      key: address.key,
      upload,
      after: 0,
      limit: 0,
    })
    return found.upload.checksum
  } catch (error) {
    if (hasCode(error, 'upload.missing')) return undefined
    throw error
  }
}

function combineWhole(
  plan: ChecksumPlan,
  stored: PartInfo[],
  headers: Context['request']['headers'],
): Checksum | undefined {
  const whole = combineChecksums(plan, stored)
  const stated = headers[`x-amz-checksum-${plan.algorithm.toLowerCase()}`]
  if (whole && plan.type === 'FULL_OBJECT' && stated !== undefined && stated !== whole.value) {
    throw s3Error('s3.digest', { name: `x-amz-checksum-${plan.algorithm.toLowerCase()}` })
  }
  return whole
}

function namedPart(part: Element) {
  const number = Number(textOf(part, 'PartNumber'))
  const etag = textOf(part, 'ETag')?.replaceAll('"', '')
  if (!Number.isInteger(number) || etag === undefined)
    throw s3Error('s3.xml', { reason: 'a part has no number or no ETag' })
  const checksum = checksumAlgorithms
    .map((algorithm) => textOf(part, `Checksum${algorithm}`))
    .find((value) => value !== undefined)
  return { number, etag, ...(checksum !== undefined && { checksum }) }
}

export const abortUpload: Operation = async ({ address, query, call, storage }) => {
  await storage.abortUpload(call, { bucket: address.bucket, key: address.key, upload: query('uploadId') ?? '' })
  return { status: 204, headers: {} }
}

function checksumXml(checksum: Checksum | undefined) {
  return checksum && { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type }
}
