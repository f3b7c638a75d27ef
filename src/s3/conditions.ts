import type { ByteRange, ObjectInfo, WriteCondition } from '#storage'
import { s3Error } from './errors.ts'
import type { S3Request } from './wire.ts'

type Headers = S3Request['headers']

/** Conditions of a write (`If-None-Match: *`, `If-Match`). @throws s3.unbuilt for what S3 does not have either */
export function writeCondition(headers: Headers): WriteCondition {
  const none = headers['if-none-match']
  const match = headers['if-match']
  if (none !== undefined && none !== '*') throw s3Error('s3.unbuilt', { what: 'If-None-Match with an ETag on a write' })
  if (none !== undefined && match !== undefined)
    throw s3Error('s3.unbuilt', { what: 'If-Match together with If-None-Match' })
  if (none !== undefined) return { ifNoneMatch: true }
  if (match !== undefined) return { ifMatch: unquoted(match) }
  return {}
}

const namesOf = (prefix: string) => ({
  match: `${prefix}if-match`,
  none: `${prefix}if-none-match`,
  unmodified: `${prefix}if-unmodified-since`,
  modified: `${prefix}if-modified-since`,
})
const plainNames = namesOf('')
const copyNames = namesOf('x-amz-copy-source-')

/**
 * Conditions of a read, in the order of RFC 9110 section 13.2.2.
 * @param prefix `x-amz-copy-source-` for those of a copy
 * @throws s3.precondition, s3.unmodified
 */
export function checkRead(info: ObjectInfo, headers: Headers, prefix: '' | 'x-amz-copy-source-' = ''): void {
  const names = prefix === '' ? plainNames : copyNames
  const match = headers[names.match]
  const none = headers[names.none]
  const unmodified = timeOf(headers[names.unmodified])
  const modified = timeOf(headers[names.modified])
  const second = Math.floor(info.modifiedAt / 1000) * 1000
  const fail = (condition: string) =>
    prefix === '' && condition.startsWith('If-None')
      ? s3Error('s3.unmodified')
      : s3Error('s3.precondition', { condition })
  if (match !== undefined) {
    if (!matches(match, info.etag)) throw fail('If-Match')
  } else if (unmodified !== undefined && second > unmodified) throw fail('If-Unmodified-Since')
  if (none !== undefined) {
    if (matches(none, info.etag)) throw fail('If-None-Match')
  } else if (modified !== undefined && second <= modified) {
    throw prefix === '' ? s3Error('s3.unmodified') : fail('If-Modified-Since')
  }
}

function matches(header: string, etag: string): boolean {
  return header.split(',').some((one) => one.trim() === '*' || unquoted(one) === etag)
}

const unquoted = (etag: string) =>
  etag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1')

function timeOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : at
}

/**
 * A range of bytes (RFC 9110 section 14): one range is served; several, or what is not understood, mean the whole.
 * @throws s3.range
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return undefined
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim())
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const [from, to] = [match[1] as string, match[2] as string]
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (from !== '' && to !== '' && Number(to) < first) return undefined
  if (first >= size || (from === '' && Number(to) === 0)) throw s3Error('s3.range', { size })
  return { first, last }
}
