import type { JsonGeneralNames } from '@peculiar/x509'
import { trustError } from '../errors.ts'
import type { Authority } from './authority.ts'
import { type Identity, identityUri } from './identity.ts'
import { p256, publicKeyOf, serialText, signingKeyOf } from './material.ts'
import { loadX509 } from './x509.ts'

/** A certificate of a role is good for so long, milliseconds: thirty days. */
export const leafMs = 30 * 24 * 60 * 60 * 1000
/** It begins so long before it is made, for clocks that differ. */
export const earlierMs = 5 * 60 * 1000

export type CertificateInput = Identity & {
  /** SubjectPublicKeyInfo, DER, of an ECDSA key on P-256. Its holder must have proved that he has the private one. */
  publicKey: Uint8Array
  /** DNS names and IP addresses under which the role is reached; none for one that only calls. */
  names: readonly string[]
  /** Milliseconds since 1970. */
  now: number
  /** 16 random bytes. */
  serial: Uint8Array
  /** `leafMs` if not given. */
  lifeMs?: number
}

/**
 * Issues the certificate of an enrolled role, for both ends of a connection. It never outlives the authority.
 * @returns PEM: the role's certificate, and the authority's behind it
 * @throws certificate.key, certificate.identity, certificate.names
 */
export async function issueCertificate(authority: Authority, input: CertificateInput): Promise<string> {
  const publicKey = publicKeyOf(input.publicKey).export({ format: 'der', type: 'spki' })
  const names: JsonGeneralNames = [{ type: 'url', value: identityUri(input) }, ...input.names.map(nameOf)]
  const {
    AuthorityKeyIdentifierExtension,
    BasicConstraintsExtension,
    ExtendedKeyUsage,
    ExtendedKeyUsageExtension,
    KeyUsageFlags,
    KeyUsagesExtension,
    SubjectAlternativeNameExtension,
    ...x509
  } = await loadX509()
  const issuer = new x509.X509Certificate(authority.certificate.raw)
  const until = Math.min(input.now + (input.lifeMs ?? leafMs), authority.certificate.validToDate.getTime())
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialText(input.serial),
    subject: new x509.Name([{ CN: [{ utf8String: input.id }] }]),
    issuer: issuer.subjectName,
    notBefore: new Date(input.now - earlierMs),
    notAfter: new Date(until),
    publicKey,
    signingKey: signingKeyOf(authority.key),
    signingAlgorithm: p256,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(names),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n${authority.certificate.toString()}`
}

const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i

function nameOf(name: string): JsonGeneralNames[number] {
  const host = URL.parse(`http://${name.includes(':') ? `[${name}]` : name}`)?.hostname
  if (host !== undefined && (host.startsWith('[') || /^[\d.]+$/.test(host)))
    return { type: 'ip', value: host.replace(/^\[|\]$/g, '') }
  if (host === undefined || name.length > 253 || !name.split('.').every((part) => label.test(part)))
    throw trustError('certificate.names', { name })
  return { type: 'dns', value: host }
}
