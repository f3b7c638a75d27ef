import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { endpointError } from './errors.ts'

/** What a server shows and proves: a chain, the server's own certificate first, and its private key; both PEM. */
export type Certificate = { chain: string; key: string }

/** What is told of a certificate. Times in milliseconds since 1970. */
export type CertificateFacts = {
  /** DNS names and IP addresses that it is for. */
  names: string[]
  notBefore: number
  notAfter: number
  /** SHA-256 of the server's own certificate, hex. */
  digest: string
}

const serverAuth = '1.3.6.1.5.5.7.3.1'

/** @throws endpoint.unreadable */
export function factsOf(chain: string): CertificateFacts {
  const leaf = leafOf(chain)
  return {
    names: namesOf(leaf),
    notBefore: leaf.validFromDate.getTime(),
    notAfter: leaf.validToDate.getTime(),
    digest: createHash('sha256').update(leaf.raw).digest('hex'),
  }
}

/**
 * Looks whether clients that ask for these names will take a certificate, as far as the certificate itself decides that.
 * @param hostnames DNS names and IP addresses
 * @param now milliseconds since 1970
 * @throws endpoint.unreadable, endpoint.mismatch, endpoint.expired, endpoint.early, endpoint.purpose, endpoint.uncovered
 */
export function judgeCertificate(
  { chain, key }: Certificate,
  hostnames: readonly string[],
  now: number,
): CertificateFacts {
  const leaf = leafOf(chain)
  const facts = factsOf(chain)
  const names = facts.names.join(', ') || 'nobody'
  const day = (at: number) => new Date(at).toISOString()
  if (!belongs(leaf, key)) throw endpointError('endpoint.mismatch', { names })
  if (facts.notAfter <= now) throw endpointError('endpoint.expired', { names, until: day(facts.notAfter) })
  if (facts.notBefore > now) throw endpointError('endpoint.early', { names, from: day(facts.notBefore) })
  const { keyUsage } = leaf as { keyUsage: string[] | undefined }
  if (leaf.ca || (keyUsage !== undefined && !keyUsage.includes(serverAuth)))
    throw endpointError('endpoint.purpose', { names })
  const missing = hostnames.filter((name) => !covers(leaf, name))
  if (missing.length > 0) throw endpointError('endpoint.uncovered', { names, missing: missing.join(', ') })
  return facts
}

/** Those of some names that a certificate is not for. @throws endpoint.unreadable */
export function uncoveredBy(chain: string, hostnames: readonly string[]): string[] {
  const leaf = leafOf(chain)
  return hostnames.filter((name) => !covers(leaf, name))
}

/** @returns whether a text is an IP address and no name of the DNS; names have no colon, and their last part is no number */
export const isAddress = (name: string): boolean => name.includes(':') || /(^|\.)\d+$/.test(name)

/** Names of the subject's common name count for no client any more (RFC 9525). */
function covers(leaf: X509Certificate, name: string): boolean {
  if (isAddress(name)) return leaf.checkIP(name) !== undefined
  // A wildcard itself is covered by what covers any name below it.
  return leaf.checkHost(name.replace(/^\*\./, 'any.'), { subject: 'never' }) !== undefined
}

/** The server's own certificate is the first one of its chain. @throws endpoint.unreadable */
function leafOf(chain: string): X509Certificate {
  try {
    return new X509Certificate(chain)
  } catch (error) {
    throw unreadable('certificate', error)
  }
}

function belongs(leaf: X509Certificate, key: string): boolean {
  try {
    return leaf.checkPrivateKey(createPrivateKey(key))
  } catch (error) {
    throw unreadable('private key of the certificate', error)
  }
}

const unreadable = (what: string, error: unknown) =>
  endpointError('endpoint.unreadable', { what, reason: error instanceof Error ? error.message : String(error) }, error)

function namesOf({ subjectAltName }: X509Certificate): string[] {
  return (subjectAltName ?? '').split(', ').flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? [])
}
