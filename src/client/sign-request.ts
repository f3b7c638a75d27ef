import { createHash, createHmac } from 'node:crypto'
import { compareUtf8 } from '#kernel'

export type AccessKey = { id: string; secret: string }

export type SignedRequest = { method: string; url: URL; headers: Record<string, string> }

/**
 * Signs a request for S3 with the Authorization header.
 * Source: AWS Signature Version 4, "Signing and authenticating REST requests"; S3 encodes the path once.
 * @param request its headers are signed as they are; `host`, `x-amz-date` and `x-amz-content-sha256` are added
 * @param payload hex SHA-256 of the body, or `UNSIGNED-PAYLOAD`
 * @param at milliseconds since 1970 UTC
 * @returns all headers to send
 */
export function signRequest(
  request: SignedRequest,
  key: AccessKey,
  region: string,
  payload: string,
  at: number,
): Record<string, string> {
  const time = new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = time.slice(0, 8)
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.url.host,
    'x-amz-date': time,
    'x-amz-content-sha256': payload,
  }
  const names = Object.keys(headers).sort()
  const canonical = [
    request.method,
    request.url.pathname,
    canonicalQuery(request.url.searchParams),
    ...names.map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    payload,
  ].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  const signingKey = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (last, word) => createHmac('sha256', last).update(word).digest(),
    `AWS4${key.secret}`,
  )
  const signature = createHmac('sha256', signingKey).update(toSign).digest('hex')
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${key.id}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  }
}

/** Percent-encodes as S3 signs: every byte but the unreserved ones of RFC 3986; `/` stays in a path. */
export function encodePath(key: string): string {
  return key.split('/').map(encodeRfc3986).join('/')
}

function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const)
    .sort((a, b) => compareUtf8(a[0], b[0]) || compareUtf8(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}
