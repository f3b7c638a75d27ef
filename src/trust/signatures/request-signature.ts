import { type KeyObject, sign, verify } from 'node:crypto'
import { contentDigest } from './content-digest.ts'
import { signatureError } from './errors.ts'

/**
 * How a machine proves to the federation who asks: HTTP message signatures (RFC 9421) by its ECDSA key on P-256, over method,
 * address, path, query and the digest of the body (RFC 9530). One signature per request, under any label.
 */

/** What is signed of a request. `target` is path and query as they go over the wire; names of headers are in lower case. */
export type SignableRequest = {
  method: string
  target: string
  headers: Readonly<Record<string, string | undefined>>
}

/** A signature as it came: nothing of it is believed yet. Times are milliseconds. */
export type RequestSignature = {
  keyId: string
  created: number
  expires: number
  nonce: string
  /** What the signature must be over. */
  base: string
  signature: Uint8Array
}

/** A signature is good for this long at the most, milliseconds. */
export const signatureMs = 5 * 60_000
/** Clocks may differ by so much, milliseconds. */
export const skewMs = 60_000

const covered = ['@method', '@authority', '@path', '@query', 'content-digest'] as const
const algorithm = 'ecdsa-p256-sha256'
const label = 'pelago'
const nonceFewest = 16
const signatureBytes = 64

/**
 * Signs a request. Source: RFC 9421, sections 2.5 (signature base), 3.1 and 3.3.4.
 * @param request.authority host and port as the URL has them; the port is left away where it is the usual one
 * @param by.nonce at least 16 characters that are never used twice with this key
 * @returns the headers to send beside those of the request
 */
export function signRequest(
  request: { method: string; authority: string; target: string; body: Uint8Array },
  by: { key: KeyObject; keyId: string; nonce: string; now: number },
): Record<string, string> {
  const created = Math.floor(by.now / 1000)
  const names = covered.map((name) => `"${name}"`).join(' ')
  const expires = created + signatureMs / 1000
  const texts = `nonce="${by.nonce}";keyid="${by.keyId}";alg="${algorithm}"`
  const parameters = `(${names});created=${created};expires=${expires};${texts}`
  const headers = { host: request.authority, 'content-digest': contentDigest(request.body) }
  const base = signatureBase(componentsOf({ ...request, headers }), parameters)
  const signature = sign('sha256', Buffer.from(base), { key: by.key, dsaEncoding: 'ieee-p1363' })
  return {
    'content-digest': headers['content-digest'],
    'signature-input': `${label}=${parameters}`,
    signature: `${label}=:${signature.toString('base64')}:`,
  }
}

/** Whether a request carries a signature at all. */
export function isSignedRequest({ headers }: Pick<SignableRequest, 'headers'>): boolean {
  return headers['signature-input'] !== undefined || headers.signature !== undefined
}

/**
 * Reads the signature off a request, and checks all that needs no key: that it covers what it must, is good now, and is meant
 * for us.
 * @param we.authorities hosts with ports that are this server's
 * @throws signature.malformed, .uncovered, .algorithm, .authority, .early, .expired, .lasting
 */
export function readSignature(
  request: SignableRequest,
  we: { authorities: readonly string[]; now: number },
): RequestSignature {
  const input = parseInput(request.headers['signature-input'] ?? '')
  const signature = parseSignature(request.headers.signature ?? '', input.label)
  const { parameters } = input
  const missing = [
    ...covered.filter((name) => !input.names.includes(name)),
    ...['created', 'expires', 'nonce', 'keyid'].filter((name) => !parameters.has(name)),
  ]
  if (missing.length > 0)
    throw signatureError('signature.uncovered', { missing: missing.join(', '), needed: covered.join(', ') })
  const stranger = input.names.find((name) => !covered.some((one) => one === name))
  if (stranger !== undefined) throw malformed(`it covers ${stranger}, which is not known here`)
  const stated = parameters.get('alg') ?? algorithm
  if (stated !== algorithm) throw signatureError('signature.algorithm', { algorithm: String(stated) })
  const authority = authorityOf(request)
  if (!we.authorities.map((one) => one.toLowerCase()).includes(authority))
    throw signatureError('signature.authority', { stated: authority, known: we.authorities.join(', ') })
  const [created, expires] = [secondsOf(parameters, 'created') * 1000, secondsOf(parameters, 'expires') * 1000]
  const [keyId, nonce] = [textOf(parameters, 'keyid'), textOf(parameters, 'nonce')]
  if (nonce.length < nonceFewest) throw malformed(`its nonce has fewer than ${nonceFewest} characters`)
  checkTimes({ created, expires }, we.now)
  const base = signatureBase(componentsOf(request, input.names), input.text)
  return { keyId, created, expires, nonce, base, signature }
}

/** @throws signature.early, signature.expired, signature.lasting */
function checkTimes({ created, expires }: { created: number; expires: number }, now: number): void {
  const seconds = (ms: number) => Math.ceil(ms / 1000)
  if (created > now + skewMs) throw signatureError('signature.early', { seconds: seconds(created - now) })
  if (expires - created > signatureMs)
    throw signatureError('signature.lasting', { seconds: seconds(expires - created), most: signatureMs / 1000 })
  if (expires < now - skewMs) throw signatureError('signature.expired', { seconds: seconds(now - expires) })
}

/** @param key ECDSA on P-256, public @throws signature.wrong */
export function checkSignature({ base, signature }: RequestSignature, key: KeyObject): void {
  if (!verify('sha256', Buffer.from(base), { key, dsaEncoding: 'ieee-p1363' }, signature))
    throw signatureError('signature.wrong')
}

/** The text that is signed: a line per component, then the parameters. Source: RFC 9421, section 2.5. */
export function signatureBase(components: readonly (readonly [string, string])[], parameters: string): string {
  return [...components, ['@signature-params', parameters] as const]
    .map(([name, value]) => `"${name}": ${value}`)
    .join('\n')
}

/** Components as RFC 9421 derives them, sections 2.1 and 2.2, in the order that the signature names them. */
function componentsOf(request: SignableRequest, names: readonly string[] = covered): [string, string][] {
  const at = request.target.indexOf('?')
  const [path, query] = at === -1 ? [request.target, ''] : [request.target.slice(0, at), request.target.slice(at + 1)]
  const values: Record<string, string> = {
    '@method': request.method,
    '@authority': authorityOf(request),
    '@path': path === '' ? '/' : path,
    '@query': `?${query}`,
    'content-digest': request.headers['content-digest']?.trim() ?? '',
  }
  return names.map((name) => [name, values[name] ?? ''])
}

/** Host and port in lower case. The port of the scheme is left away by whoever writes `Host`. */
const authorityOf = ({ headers }: SignableRequest) => (headers.host ?? '').trim().toLowerCase()

type Input = { label: string; names: string[]; text: string; parameters: Map<string, string | number> }

/** A dictionary of one list of names without parameters, whose own are numbers and texts. Source: RFC 9651, sections 3.1 and 3.2. */
function parseInput(header: string): Input {
  const whole = /^([a-z*][a-z0-9_.*-]*)=(\(([^()]*)\)((?:;[a-z*][a-z0-9_.*-]*=(?:\d{1,15}|"[ !#-[\]-~]*"))*))$/
  const [, name = '', text = '', list = '', tail = ''] = whole.exec(header.trim()) ?? []
  if (name === '') throw malformed('Signature-Input is not one list of components with its parameters')
  const names = list === '' ? [] : list.split(' ').map((item) => /^"([a-z@-]+)"$/.exec(item)?.[1] ?? '')
  if (names.includes('') || new Set(names).size < names.length)
    throw malformed('a component is not a plain name, or is named twice')
  const parameters = new Map<string, string | number>()
  for (const [, key = '', value = ''] of tail.matchAll(/;([^=]+)=(\d+|"[^"]*")/g)) {
    if (parameters.has(key)) throw malformed(`the parameter ${key} comes twice`)
    parameters.set(key, value.startsWith('"') ? value.slice(1, -1) : Number(value))
  }
  return { label: name, names, text, parameters }
}

function parseSignature(header: string, name: string): Uint8Array {
  const [, stated, text = ''] = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):$/.exec(header.trim()) ?? []
  if (stated === undefined) throw malformed('Signature is not one label with bytes')
  if (stated !== name) throw malformed('Signature and Signature-Input have different labels')
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== signatureBytes) throw malformed(`it has ${bytes.length} bytes, not ${signatureBytes}`)
  return bytes
}

function secondsOf(parameters: Map<string, string | number>, name: string): number {
  const value = parameters.get(name)
  if (typeof value !== 'number') throw malformed(`${name} is not a number of seconds`)
  return value
}

function textOf(parameters: Map<string, string | number>, name: string): string {
  const value = parameters.get(name)
  if (typeof value !== 'string') throw malformed(`${name} is not a text`)
  return value
}

const malformed = (reason: string) => signatureError('signature.malformed', { reason })
