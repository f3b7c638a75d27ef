import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { compareUtf8 } from '#kernel'
import type { AccessKey, AccessKeys } from './access-key.ts'
import { accessError } from './errors.ts'

/** A request as far as its signature goes. Header names in lower case. `path` decoded, `query` decoded pairs as sent. */
export type SignedRequest = {
  method: string
  path: string
  query: readonly (readonly [string, string])[]
  headers: Readonly<Record<string, string>>
}

/** Who signed, and what the signatures of chunks continue from. */
export type Verified = {
  key: AccessKey
  /** `x-amz-content-sha256`: a hash, or how the payload is signed. */
  payload: string
  presigned: boolean
  signature: string
  /** `20130524T000000Z` */
  time: string
  /** `20130524/us-east-1/s3/aws4_request` */
  scope: string
  signingKey: Uint8Array
}

const algorithm = 'AWS4-HMAC-SHA256'
const malformed = (reason: string) => accessError('access.malformed', { reason })
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Uint8Array, text: string) => createHmac('sha256', key).update(text).digest()
const skewMs = 15 * 60 * 1000
const longestPresignedSeconds = 604_800

type Claim = {
  id: string
  scope: string[]
  signedHeaders: string[]
  signature: string
  time: string
  payload: string
  expiresAfterMs?: number
}

/**
 * Finds out who signed a request, by header or presigned.
 * Source: AWS Signature Version 4 for S3; the path is encoded once and not normalised.
 * @param now milliseconds since 1970 UTC
 * @throws access.anonymous, access.malformed, access.unknown, access.signature, access.skewed, access.expired
 */
export async function verifyRequest(keys: AccessKeys, request: SignedRequest, now: number): Promise<Verified> {
  const presigned = request.query.some(([name]) => name === 'X-Amz-Signature')
  const claim = presigned ? presignedClaim(request) : headerClaim(request)
  const at = timeOf(claim.time)
  if (claim.expiresAfterMs === undefined) {
    if (Math.abs(now - at) > skewMs) throw accessError('access.skewed', { now: new Date(now).toISOString() })
  } else {
    if (at - now > skewMs) throw accessError('access.skewed', { now: new Date(now).toISOString() })
    const expires = at + claim.expiresAfterMs
    if (now > expires) throw accessError('access.expired', { at: new Date(expires).toISOString() })
  }
  if (!claim.signedHeaders.includes('host')) throw malformed('the host header must be signed')
  for (const name of Object.keys(request.headers)) {
    if (name.startsWith('x-amz-') && !claim.signedHeaders.includes(name) && !presigned) {
      throw malformed(`the header ${name} must be signed`)
    }
  }
  const key = await keys.find(claim.id)
  if (!key) throw accessError('access.unknown', { id: claim.id })
  const signingKey = signingKeyOf(key.secret, claim.scope)
  const scope = claim.scope.join('/')
  const toSign = [algorithm, claim.time, scope, sha256(canonicalRequest(request, claim))].join('\n')
  const right = hmac(signingKey, toSign)
  const stated = Buffer.from(claim.signature, 'hex')
  const whole = /^[0-9a-f]{64}$/.test(claim.signature)
  if (!whole || stated.length !== right.length || !timingSafeEqual(stated, right)) throw accessError('access.signature')
  return { key, payload: claim.payload, presigned, signature: claim.signature, time: claim.time, scope, signingKey }
}

function headerClaim({ headers }: SignedRequest): Claim {
  const authorization = headers.authorization
  if (authorization === undefined) throw accessError('access.anonymous')
  const match = /^AWS4-HMAC-SHA256\s+(.*)$/.exec(authorization)
  if (!match) throw malformed('only AWS4-HMAC-SHA256 is understood')
  const fields = new Map(
    (match[1] as string).split(',').map((field) => {
      const at = field.indexOf('=')
      return [field.slice(0, at).trim(), field.slice(at + 1).trim()] as const
    }),
  )
  const field = (name: string) => {
    const value = fields.get(name)
    if (!value) throw malformed(`${name} is missing`)
    return value
  }
  const payload = headers['x-amz-content-sha256']
  if (payload === undefined) throw malformed('x-amz-content-sha256 is missing')
  return {
    ...credentialOf(field('Credential')),
    signedHeaders: field('SignedHeaders').split(';'),
    signature: field('Signature'),
    time: headers['x-amz-date'] ?? basicTime(headers.date),
    payload,
  }
}

function presignedClaim({ query }: SignedRequest): Claim {
  const field = (name: string) => {
    const value = query.find(([found]) => found === name)?.[1]
    if (value === undefined) throw malformed(`${name} is missing`)
    return value
  }
  if (field('X-Amz-Algorithm') !== algorithm) throw malformed(`only ${algorithm} is understood`)
  const seconds = Number(field('X-Amz-Expires'))
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > longestPresignedSeconds) {
    throw malformed(`X-Amz-Expires must be from 1 to ${longestPresignedSeconds} seconds`)
  }
  return {
    ...credentialOf(field('X-Amz-Credential')),
    signedHeaders: field('X-Amz-SignedHeaders').split(';'),
    signature: field('X-Amz-Signature'),
    time: field('X-Amz-Date'),
    payload: 'UNSIGNED-PAYLOAD',
    expiresAfterMs: seconds * 1000,
  }
}

function credentialOf(credential: string): { id: string; scope: string[] } {
  const parts = credential.split('/')
  const scope = parts.slice(-4)
  const [day = '', , service, end] = scope
  if (parts.length < 5 || !/^\d{8}$/.test(day) || service !== 's3' || end !== 'aws4_request') {
    throw malformed('the credential must be KEY/DAY/REGION/s3/aws4_request')
  }
  return { id: parts.slice(0, -4).join('/'), scope }
}

function canonicalRequest({ method, path, query, headers }: SignedRequest, claim: Claim): string {
  const pairs = query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const)
    .sort((a, b) => compareUtf8(a[0], b[0]) || compareUtf8(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
  return [
    method,
    path.split('/').map(encodeRfc3986).join('/'),
    pairs.join('&'),
    ...claim.signedHeaders.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    claim.signedHeaders.join(';'),
    claim.payload,
  ].join('\n')
}

/** Signing keys are good for a day each; deriving one costs four hashes. */
const keptKeys = 1000
const derived = new Map<string, Uint8Array>()

function signingKeyOf(secret: string, scope: string[]): Uint8Array {
  const id = sha256(`${secret}\n${scope.join('/')}`)
  const known = derived.get(id)
  if (known) return known
  const key = scope.reduce<string | Uint8Array>((last, word) => hmac(last, word), `AWS4${secret}`) as Uint8Array
  if (derived.size >= keptKeys) derived.clear()
  derived.set(id, key)
  return key
}

const emptyHash = sha256('')

/** Signature of one chunk of a signed stream, given the one before it. @param hash hex SHA-256 of the chunk */
export function chunkSignature(verified: Verified, previous: string, hash: string): string {
  const toSign = [`${algorithm}-PAYLOAD`, verified.time, verified.scope, previous, emptyHash, hash].join('\n')
  return hmac(verified.signingKey, toSign).toString('hex')
}

/** Signature of the trailers behind a signed stream. @param trailers `name:value\n` for each, in order */
export function trailerSignature(verified: Verified, previous: string, trailers: string): string {
  const toSign = ['AWS4-HMAC-SHA256-TRAILER', verified.time, verified.scope, previous, sha256(trailers)].join('\n')
  return hmac(verified.signingKey, toSign).toString('hex')
}

/** Percent-encodes every byte but the unreserved ones of RFC 3986. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

function timeOf(time: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time)
  if (!match) throw malformed('the date must be like 20130524T000000Z')
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** The `Date` header in the form that is signed. */
function basicTime(date: string | undefined): string {
  const at = date === undefined ? Number.NaN : Date.parse(date)
  if (Number.isNaN(at)) throw malformed('x-amz-date is missing')
  return new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '')
}
