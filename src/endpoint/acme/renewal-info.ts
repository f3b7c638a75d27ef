import { X509Certificate } from 'node:crypto'
import { hasCode } from '#kernel'
import { loadX509 } from '#trust'
import { type Fields, fieldsOf, isFields, retryAfterMs } from './answer.ts'
import type { AcmeServer } from './server.ts'

/** What an authority says of when to renew. Milliseconds since 1970. */
export type RenewalInfo = { start: number; end: number; askAgainAt: number }

const askAgainMs = 6 * 60 * 60 * 1000

/**
 * The name that a certificate has for its authority (RFC 9773 section 4.1).
 * @returns undefined when it does not say which key issued it
 */
export async function certificateName(chain: string): Promise<string | undefined> {
  const x509 = await loadX509()
  const leaf = new x509.X509Certificate(new X509Certificate(chain).raw)
  const { keyId } = leaf.getExtension(x509.AuthorityKeyIdentifierExtension) ?? {}
  if (keyId === undefined) return undefined
  const encode = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')
  return `${encode(keyId)}.${encode(leaf.serialNumber)}`
}

/** Asks when a certificate is to be renewed. @returns undefined where the authority does not tell */
export async function askRenewal(server: AcmeServer, chain: string, now: number): Promise<RenewalInfo | undefined> {
  const { renewalInfo } = await server.directory()
  const name = await certificateName(chain)
  if (renewalInfo === undefined || name === undefined) return undefined
  try {
    const answer = await server.get(`${renewalInfo.replace(/\/$/, '')}/${name}`)
    const window = windowOf(fieldsOf(server.name, answer))
    return window && { ...window, askAgainAt: now + (retryAfterMs(answer, now) ?? askAgainMs) }
  } catch (error) {
    // It does not know the certificate, or will not tell: a third of its life is left when it is renewed.
    if (hasCode(error, 'acme.refused', 'acme.answer')) return undefined
    throw error
  }
}

function windowOf({ suggestedWindow }: Fields): { start: number; end: number } | undefined {
  if (!isFields(suggestedWindow)) return undefined
  const [start, end] = [Date.parse(String(suggestedWindow.start)), Date.parse(String(suggestedWindow.end))]
  return end >= start ? { start, end } : undefined
}
