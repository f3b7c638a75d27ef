import type { Checksum, ObjectHeaders, ObjectInfo } from '#storage'
import { checksumHeader } from './checksum.ts'
import { quoted } from './context.ts'
import { s3Error } from './errors.ts'
import { httpDate } from './http-date.ts'
import type { S3Request } from './wire.ts'

const kept = new Set([
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
])
/** In bytes: a header's value has one character for each of its bytes. */
const metadataMost = 2048

/** The headers that S3 keeps with an object: content headers and user metadata. @throws s3.metadata, s3.unbuilt */
export function keptHeaders(headers: S3Request['headers']): ObjectHeaders {
  refuseUnbuilt(headers)
  const found: ObjectHeaders = {}
  let metadata = 0
  for (const name in headers) {
    const value = headers[name] as string
    if (name.startsWith('x-amz-meta-')) metadata += name.length - 'x-amz-meta-'.length + value.length
    else if (!kept.has(name)) continue
    found[name] = value
  }
  if (metadata > metadataMost) throw s3Error('s3.metadata')
  const stated = found['content-encoding']
  if (stated === undefined) return found
  const encoding = stated
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== 'aws-chunked')
    .join(',')
  if (encoding) found['content-encoding'] = encoding
  else delete found['content-encoding']
  return found
}

/** What would change the meaning of a write if it were ignored is refused. */
function refuseUnbuilt(headers: S3Request['headers']): void {
  const acl = headers['x-amz-acl']
  if (acl !== undefined && acl !== 'private' && acl !== 'bucket-owner-full-control') {
    throw s3Error('s3.unbuilt', { what: `The ACL ${acl}` })
  }
  const encryption = headers['x-amz-server-side-encryption']
  if (encryption !== undefined && encryption !== 'AES256')
    throw s3Error('s3.unbuilt', { what: `Encryption ${encryption}` })
  for (const name in headers) {
    if (name.startsWith('x-amz-') && unbuilt.test(name)) throw s3Error('s3.unbuilt', { what: `The header ${name}` })
  }
}

const unbuilt =
  /^x-amz-(object-lock-|grant-|server-side-encryption-customer-|(tagging|website-redirect-location|write-offset-bytes)$)/

/** The headers with which an object is answered. */
export function infoHeaders(info: ObjectInfo): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/octet-stream',
    etag: quoted(info.etag),
    'last-modified': httpDate(info.modifiedAt),
    'accept-ranges': 'bytes',
  }
  for (const name in info.headers) headers[name] = info.headers[name] as string
  return headers
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (!checksum) return {}
  return { [checksumHeader[checksum.algorithm]]: checksum.value, 'x-amz-checksum-type': checksum.type }
}
