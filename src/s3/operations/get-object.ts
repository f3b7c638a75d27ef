import { checkRead, rangeOf } from '../conditions.ts'
import type { Context, Operation } from '../context.ts'
import { s3Error } from '../errors.ts'
import { checksumHeaders, infoHeaders } from '../object-headers.ts'
import type { S3Response } from '../wire.ts'

/** Answers that a signed request may set for itself. */
const overrides = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
]

export const getObject: Operation = (context) => answer(context, true)
export const headObject: Operation = (context) => answer(context, false)

async function answer(context: Context, withBody: boolean): Promise<S3Response> {
  const { request, address, call, storage } = context
  const part = partOf(context)
  const { bucket, key } = address
  const opened = await storage.openObject(call, part === undefined ? { bucket, key } : { bucket, key, part })
  const { info } = opened
  checkRead(info, request.headers)
  const range = part === undefined ? rangeOf(request.headers.range, info.size) : undefined
  const headers = infoHeaders(info)
  if (address.query.length > 0) Object.assign(headers, responseOverrides(context))
  if (part !== undefined && info.parts) headers['x-amz-mp-parts-count'] = String(info.parts.length)
  if (request.headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED' && !range && part === undefined) {
    Object.assign(headers, checksumHeaders(info.checksum))
  }
  const length = range ? range.last - range.first + 1 : info.size
  headers['content-length'] = String(length)
  if (range) headers['content-range'] = `bytes ${range.first}-${range.last}/${info.size}`
  const status = range || part !== undefined ? 206 : 200
  if (!withBody) return { status, headers }
  if (length === 0) return { status, headers, body: new Uint8Array(0) }
  if (opened.ready && part === undefined)
    return { status, headers, body: range ? opened.ready.subarray(range.first, range.last + 1) : opened.ready }
  return { status, headers, body: await begun(opened.read(range)) }
}

/** The first bytes are fetched before the answer begins, so that an object that cannot be read is an error and not a broken connection. */
async function begun(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const chunks = bytes[Symbol.asyncIterator]()
  const first = await chunks.next()
  return (async function* () {
    try {
      for (let next = first; !next.done; next = await chunks.next()) yield next.value
    } finally {
      await chunks.return?.()
    }
  })()
}

function partOf({ query }: Context): number | undefined {
  const text = query('partNumber')
  if (text === undefined) return undefined
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw s3Error('s3.argument', { name: 'partNumber', reason: 'it must be from 1 to 10000' })
  }
  return number
}

function responseOverrides({ query }: Context): Record<string, string> {
  return Object.fromEntries(
    overrides.flatMap((name) => {
      const value = query(`response-${name}`)
      if (value === undefined) return []
      // Nobody writes headers of his own into an answer.
      if (!/^[\t -~\x80-\xff]*$/.test(value))
        throw s3Error('s3.argument', { name: `response-${name}`, reason: 'no header can have this value' })
      return [[name, value]]
    }),
  )
}
