import { createHash, timingSafeEqual } from 'node:crypto'
import { signatureError } from './errors.ts'

const hashBytes = 32

/** The value of `Content-Digest` for a body. Source: RFC 9530, section 2. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
}

/**
 * Compares a body with the digest that came with it.
 * @param stated the header as it came; of several digests the one of SHA-256 counts
 * @throws digest.malformed, digest.wrong
 */
export function checkContentDigest(stated: string | undefined, body: Uint8Array): void {
  const [, text] = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):\s*(?:,|$)/.exec(stated ?? '') ?? []
  const digest = Buffer.from(text ?? '', 'base64')
  if (digest.length !== hashBytes) throw signatureError('digest.malformed')
  if (!timingSafeEqual(digest, createHash('sha256').update(body).digest())) throw signatureError('digest.wrong')
}
