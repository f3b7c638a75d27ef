import { encodeRfc3986 } from '#access'
import { fromUtf8, utf8, turn } from '#kernel'
import type { ListPage } from '#storage'
import { type Context, isoTime, type Operation, quoted, xmlResponse } from '../context.ts'
import { s3Error } from '../errors.ts'
import { writeXml, type Xml } from '../xml.ts'

const mostKeys = 1000

/** ListObjects of 2006: the marker is a key. */
export const listObjectsV1: Operation = async (context) => {
  const { address, query } = context
  const marker = query('marker') ?? ''
  const { limit, delimiter, encode, page } = await list(context, marker)
  return xmlResponse(
    writeXml('ListBucketResult', {
      Name: address.bucket,
      Prefix: encode(query('prefix') ?? ''),
      Marker: encode(marker),
      // S3 names the next marker only where the client cannot take the last key for it.
      NextMarker: page.next !== undefined && delimiter !== '' ? encode(page.next) : undefined,
      MaxKeys: limit,
      Delimiter: delimiter === '' ? undefined : encode(delimiter),
      EncodingType: query('encoding-type'),
      IsTruncated: page.next !== undefined,
      ...entriesOf(page, encode, true),
    }),
  )
}

/** ListObjectsV2: goes on by an opaque token. */
export const listObjectsV2: Operation = async (context) => {
  const { address, query } = context
  const token = query('continuation-token')
  const startAfter = query('start-after') ?? ''
  const { limit, delimiter, encode, page } = await list(context, token === undefined ? startAfter : tokenKey(token))
  return xmlResponse(
    writeXml('ListBucketResult', {
      Name: address.bucket,
      Prefix: encode(query('prefix') ?? ''),
      StartAfter: startAfter === '' ? undefined : encode(startAfter),
      MaxKeys: limit,
      KeyCount: page.entries.length,
      Delimiter: delimiter === '' ? undefined : encode(delimiter),
      EncodingType: query('encoding-type'),
      IsTruncated: page.next !== undefined,
      ContinuationToken: token,
      NextContinuationToken: page.next === undefined ? undefined : Buffer.from(utf8(page.next)).toString('base64url'),
      ...entriesOf(page, encode, query('fetch-owner') === 'true'),
    }),
  )
}

async function list(context: Context, after: string) {
  const { address, query, call, storage, clock } = context
  const limit = limitOf(query('max-keys'), 'max-keys')
  const delimiter = query('delimiter') ?? ''
  const input = { bucket: address.bucket, prefix: query('prefix') ?? '', delimiter, after, limit }
  const page: ListPage =
    limit === 0
      ? (await storage.getBucket(call, address.bucket), { entries: [] })
      : await storage.listObjects(call, input)
  // A thousand entries are looked up in one go; others come before they are written down.
  await turn(clock)
  return { limit, delimiter, encode: encoderOf(query('encoding-type')), page }
}

/** How many entries a page may have; more than `most` are `most`. @throws s3.argument */
export function limitOf(text: string | undefined, name: string, { least = 0, most = mostKeys } = {}): number {
  if (text === undefined || text === '') return most
  if (!/^\d{1,10}$/.test(text) || Number(text) < least)
    throw s3Error('s3.argument', { name, reason: `it must be a whole number from ${least}` })
  return Math.min(Number(text), most)
}

/** URL encoding is asked for by clients whose keys XML cannot hold; `/` stays. */
export function encoderOf(type: string | undefined): (text: string) => string {
  if (type === undefined || type === '') return (text) => text
  if (type !== 'url') throw s3Error('s3.argument', { name: 'encoding-type', reason: 'only url is known' })
  return (text) => text.split('/').map(encodeRfc3986).join('/')
}

function tokenKey(token: string): string {
  try {
    return fromUtf8(Buffer.from(token, 'base64url'))
  } catch (error) {
    throw s3Error('s3.argument', { name: 'continuation-token', reason: 'it is none of ours' }, error)
  }
}

function entriesOf(
  page: ListPage,
  encode: (text: string) => string,
  owner: boolean,
): { Contents: Xml[]; CommonPrefixes: Xml[] } {
  const Contents: Xml[] = []
  const CommonPrefixes: Xml[] = []
  for (const entry of page.entries) {
    if (entry.kind === 'prefix') CommonPrefixes.push({ Prefix: encode(entry.prefix) })
    else {
      const { key, modifiedAt, etag, size, checksum } = entry.info
      Contents.push({
        Key: encode(key),
        LastModified: isoTime(modifiedAt),
        ETag: quoted(etag),
        ChecksumAlgorithm: checksum?.algorithm,
        ChecksumType: checksum?.type,
        Size: size,
        StorageClass: 'STANDARD',
        Owner: owner ? { ID: 'pelago', DisplayName: 'pelago' } : undefined,
      })
    }
  }
  return { Contents, CommonPrefixes }
}
