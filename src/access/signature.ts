import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { compareUtf8, type HmacKey, hmacHex, hmacKey } from '#kernel'
import type { AccessKey, AccessKeys } from './access-key.ts'
import { stranger } from './caller.ts'
import { accessError } from './errors.ts'

/** A request as far as its signature goes. Header names in lower case. `path` decoded, `query` decoded pairs as sent. */
export type SignedRequest = {
  method: string
  path: string
  query: readonly (readonly [string, string])[]
  headers: Readonly<Record<string, string>>
  /** Who it is for, when not S3, and then the hash of the body: other services do not state it in a header. */
  other?: { service: string; payload: string }
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
  /** Of temporary credentials. */
  token: string | undefined
  signingKey: HmacKey
}

const algorithm = 'AWS4-HMAC-SHA256'
const malformed = (reason: string) => accessError('access.malformed', { reason })
const sha256 = (text: string) => hash('sha256', text, 'hex')
const skewMs = 15 * 60 * 1000
const longestPresignedSeconds = 604_800

/** What a signer says about itself; the same in all of its requests of a day that have the same headers. */
type Signer = {
  id: string
  /** `20130524/us-east-1/s3/aws4_request` */
  scope: string
  signedHeaders: readonly string[]
}
type Claim = {
  signer: Signer
  /** The signer was remembered. */
  known: boolean
  signature: string
  time: string
  payload: string
  expiresAfterMs: number | undefined
  token: string | undefined
}

/**
 * Finds out who signed a request, by header or presigned.
 * Source: AWS Signature Version 4 for S3; the path is encoded once and not normalised.
 * @param now milliseconds since 1970 UTC
 * @throws access.anonymous, access.malformed, access.unknown, access.signature, access.skewed, access.expired, access.token,
 * access.token-expired
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
  const { signedHeaders, id, scope } = claim.signer
  const service = request.other?.service ?? 's3'
  if (!scope.endsWith(`/${service}/aws4_request`))
    throw malformed(`the credential must be KEY/DAY/REGION/${service}/aws4_request`)
  if (!signedHeaders.includes('host')) throw malformed('the host header must be signed')
  if (!presigned) {
    for (const name in request.headers) {
      if (name.startsWith('x-amz-') && !signedHeaders.includes(name))
        throw malformed(`the header ${name} must be signed`)
    }
  }
  const { token } = claim
  const key = await keys.find(id, token)
  if (!key) throw accessError('access.unknown', { id })
  const signingKey = signingKeyOf(key.secret, claim.signer)
  const right = hmacHex(
    signingKey,
    `${algorithm}\n${claim.time}\n${scope}\n${sha256(canonicalRequest(request, claim))}`,
  )
  if (!isSame(claim.signature, right)) throw accessError('access.signature')
  if (!claim.known) remember(request.headers.authorization ?? '', claim)
  const { payload, signature, time } = claim
  return { key, payload, presigned, signature, time, scope, token, signingKey }
}

/** Whether nobody has signed a request. */
export function isUnsigned({ headers, query }: SignedRequest): boolean {
  return headers.authorization === undefined && !query.some(([name]) => name === 'X-Amz-Signature')
}

const noKey = hmacKey(new Uint8Array(32))

/** What holds for a request that nobody has signed. @throws access.malformed when its body says that it is signed */
export function unsigned({ headers }: SignedRequest): Verified {
  const payload = headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD'
  if (payload.startsWith('STREAMING-AWS4')) throw malformed('chunks are signed, but the request is not')
  const key = { id: '', secret: '', caller: stranger }
  return { key, payload, presigned: false, signature: '', time: '', scope: '', token: undefined, signingKey: noKey }
}

const signatureSigns = 64
const compared = [Buffer.alloc(signatureSigns), Buffer.alloc(signatureSigns)] as const

/** Whether two signatures in hex are the same, in a time that does not tell how much of them is. */
function isSame(stated: string, right: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(stated) || right.length !== signatureSigns) return false
  compared[0].write(stated, 'latin1')
  compared[1].write(right, 'latin1')
  return timingSafeEqual(compared[0], compared[1])
}

/**
 * Signers by what stands before the signature in their Authorization headers. Only of requests whose signature was right, so
 * that nobody fills this who has no key.
 */
const signers = new Map<string, Signer>()
const keptSigners = 1000

function remember(authorization: string, { signer, signature }: Claim): void {
  if (!authorization.endsWith(`Signature=${signature}`)) return
  const before = authorization.slice(0, -signatureSigns)
  if (signers.size >= keptSigners) signers.clear()
  signers.set(before, signer)
}

function headerClaim({ headers, other }: SignedRequest): Claim {
  const { authorization } = headers
  if (authorization === undefined) throw accessError('access.anonymous')
  const known = signers.get(authorization.slice(0, -signatureSigns))
  const { signer, signature } = known
    ? { signer: known, signature: authorization.slice(-signatureSigns) }
    : readAuthorization(authorization)
  const payload = other?.payload ?? headers['x-amz-content-sha256']
  if (payload === undefined) throw malformed('x-amz-content-sha256 is missing')
  const time = headers['x-amz-date'] ?? basicTime(headers.date)
  const token = headers['x-amz-security-token']
  return { signer, known: known !== undefined, signature, time, payload, expiresAfterMs: undefined, token }
}

function readAuthorization(authorization: string): { signer: Signer; signature: string } {
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
  return { signer: signerOf(field('Credential'), field('SignedHeaders')), signature: field('Signature') }
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
    signer: signerOf(field('X-Amz-Credential'), field('X-Amz-SignedHeaders')),
    known: false,
    signature: field('X-Amz-Signature'),
    time: field('X-Amz-Date'),
    payload: 'UNSIGNED-PAYLOAD',
    expiresAfterMs: seconds * 1000,
    token: query.find(([name]) => name === 'X-Amz-Security-Token')?.[1],
  }
}

function signerOf(credential: string, signedHeaders: string): Signer {
  const parts = credential.split('/')
  const scope = parts.slice(-4)
  const [day = '', , , end] = scope
  if (parts.length < 5 || !/^\d{8}$/.test(day) || end !== 'aws4_request') {
    throw malformed('the credential must be KEY/DAY/REGION/s3/aws4_request')
  }
  return { id: parts.slice(0, -4).join('/'), scope: scope.join('/'), signedHeaders: signedHeaders.split(';') }
}

function canonicalRequest({ method, path, query, headers }: SignedRequest, { signer, payload }: Claim): string {
  let text = `${method}\n${encodePath(path)}\n${query.length === 0 ? '' : canonicalQuery(query)}\n`
  for (const name of signer.signedHeaders) text += `${name}:${canonicalValue(headers[name] ?? '')}\n`
  return `${text}\n${signer.signedHeaders.join(';')}\n${payload}`
}

const canonicalValue = (value: string) => {
  const trimmed = value.trim()
  return trimmed.includes('  ') ? trimmed.replace(/ +/g, ' ') : trimmed
}

function canonicalQuery(query: SignedRequest['query']): string {
  return query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const)
    .sort((a, b) => compareUtf8(a[0], b[0]) || compareUtf8(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** Signing keys are good for a day each; deriving one costs four hashes. */
const derived = new Map<string, { secret: string; key: HmacKey }>()
const keptKeys = 1000

function signingKeyOf(secret: string, { id, scope }: Signer): HmacKey {
  const name = `${id}/${scope}`
  const known = derived.get(name)
  // The secret of an access key may have been changed.
  if (known?.secret === secret) return known.key
  const bytes = scope
    .split('/')
    .reduce((last, word) => createHmac('sha256', last).update(word).digest(), Buffer.from(`AWS4${secret}`))
  const key = hmacKey(bytes)
  if (derived.size >= keptKeys) derived.clear()
  derived.set(name, { secret, key })
  return key
}

const emptyHash = sha256('')

/** Signature of one chunk of a signed stream, given the one before it. @param hash hex SHA-256 of the chunk */
export function chunkSignature(verified: Verified, previous: string, hash: string): string {
  const toSign = [`${algorithm}-PAYLOAD`, verified.time, verified.scope, previous, emptyHash, hash].join('\n')
  return hmacHex(verified.signingKey, toSign)
}

/** Signature of the trailers behind a signed stream. @param trailers `name:value\n` for each, in order */
export function trailerSignature(verified: Verified, previous: string, trailers: string): string {
  const toSign = ['AWS4-HMAC-SHA256-TRAILER', verified.time, verified.scope, previous, sha256(trailers)].join('\n')
  return hmacHex(verified.signingKey, toSign)
}

/** Percent-encodes every byte but the unreserved ones of RFC 3986. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

const unreserved = /^[A-Za-z0-9\-._~/]*$/

function encodePath(path: string): string {
  return unreserved.test(path) ? path : path.split('/').map(encodeRfc3986).join('/')
}

/** The last time that was read: requests of one second have the same. */
let lastTime = { text: '', at: 0 }

function timeOf(time: string): number {
  if (lastTime.text === time) return lastTime.at
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
  lastTime = { text: time, at: Date.UTC(year, month - 1, day, hour, minute, second) }
  return lastTime.at
}

/** The `Date` header in the form that is signed. */
function basicTime(date: string | undefined): string {
  const at = date === undefined ? Number.NaN : Date.parse(date)
  if (Number.isNaN(at)) throw malformed('x-amz-date is missing')
  return new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '')
}
