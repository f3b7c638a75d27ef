import { type Clock, fromUtf8, concat } from '#kernel'
import { clientError } from './errors.ts'
import { type AccessKey, encodePath, signRequest } from './sign-request.ts'
import { textsOf } from './xml-texts.ts'

/** Sends one S3 request. `body` is sent as it comes, with the length that the headers say. */
export type ObjectTransport = (request: {
  method: string
  url: URL
  headers: Record<string, string>
  body?: AsyncIterable<Uint8Array>
}) => Promise<{ status: number; headers: Record<string, string>; body: AsyncIterable<Uint8Array> }>

/** Bytes that can be read more than once, such as a file. */
export type Source = { size: number; sha256: string; chunks: () => AsyncIterable<Uint8Array> }

export type ListedObject = { key: string; size: number; etag: string; modifiedAt: string }

/** The little of S3 that the command line needs. Any S3 client does the same and more. */
export type Objects = {
  put(address: { bucket: string; key: string }, source: Source): Promise<{ etag: string }>
  get(address: {
    bucket: string
    key: string
  }): Promise<{ size: number; etag: string; body: AsyncIterable<Uint8Array> }>
  list(address: { bucket: string; key: string }): AsyncIterable<ListedObject>
}

const largestPut = 5 * 1024 ** 3
const region = 'eu-central-1'
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const longestErrorBody = 64 * 1024
const longestListBody = 8 * 1024 * 1024

/**
 * Opens a client of one S3 endpoint.
 * Errors: s3.refused with S3's own code and message, s3.missing, s3.damaged, s3.large.
 */
export function openObjects(ports: { clock: Clock; send: ObjectTransport }, endpoint: string, key: AccessKey): Objects {
  const send = async (
    method: string,
    path: string,
    query: Record<string, string>,
    payload: string,
    headers: Record<string, string> = {},
    body?: AsyncIterable<Uint8Array>,
  ) => {
    const url = new URL(path, endpoint)
    // A URL resolves `.` and `..` between slashes, so such a key would name another object.
    if (url.pathname !== path) throw clientError('address.invalid', { address: `s3:/${decodeURIComponent(path)}` })
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    const signed = signRequest({ method, url, headers }, key, region, payload, ports.clock.now())
    const answer = await ports.send({ method, url, headers: signed, ...(body && { body }) })
    if (answer.status >= 200 && answer.status < 300) return answer
    throw await refusal(answer.status, answer.body, path)
  }
  return {
    async put({ bucket, key }, source) {
      if (source.size > largestPut) throw clientError('s3.large', { size: source.size, limit: largestPut })
      const headers = { 'content-length': String(source.size) }
      const path = `/${bucket}/${encodePath(key)}`
      const answer = await send('PUT', path, {}, source.sha256, headers, source.chunks())
      await gather(answer.body, longestErrorBody)
      return { etag: answer.headers.etag ?? '' }
    },
    async get({ bucket, key }) {
      const answer = await send('GET', `/${bucket}/${encodePath(key)}`, {}, emptySha256)
      const size = Number(answer.headers['content-length'])
      return { size, etag: answer.headers.etag ?? '', body: exactly(size, answer.body) }
    },
    async *list({ bucket, key }) {
      let token: string | undefined
      do {
        const query = {
          'list-type': '2',
          'encoding-type': 'url',
          prefix: key,
          ...(token !== undefined && { 'continuation-token': token }),
        }
        const answer = await send('GET', `/${bucket}`, query, emptySha256)
        const page = fromUtf8(await gather(answer.body, longestListBody))
        for (const entry of textsOf(page, 'Contents')) {
          const one = (name: string) => textsOf(entry, name)[0] ?? ''
          yield {
            // URL encoding of a key writes a space as `+`.
            key: decodeURIComponent(one('Key').replaceAll('+', '%20')),
            size: Number(one('Size')),
            etag: one('ETag').replaceAll('"', ''),
            modifiedAt: one('LastModified'),
          }
        }
        token = textsOf(page, 'NextContinuationToken')[0]
      } while (token !== undefined)
    },
  }
}

async function refusal(status: number, body: AsyncIterable<Uint8Array>, path: string) {
  const text = fromUtf8(await gather(body, longestErrorBody))
  const code = textsOf(text, 'Code')[0] ?? 'unknown'
  const message = textsOf(text, 'Message')[0] ?? 'no reason was given'
  if (status === 404) {
    const bucket = path.split('/')[1] ?? ''
    const what = code === 'NoSuchBucket' ? `bucket ${bucket}` : `object ${decodeURIComponent(path.slice(1))}`
    return clientError('s3.missing', { what })
  }
  return clientError('s3.refused', { code, message, status })
}

async function gather(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > limit) break
    parts.push(part)
  }
  return concat(...parts)
}

/** A connection that breaks must not look like the end of a shorter object. */
async function* exactly(size: number, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let got = 0
  for await (const part of body) {
    got += part.length
    yield part
  }
  if (got !== size) throw clientError('s3.damaged', { got, size })
}
