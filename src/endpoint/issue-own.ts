import { createPublicKey, type KeyObject } from 'node:crypto'
import type { JsonGeneralNames } from '@peculiar/x509'
import { type Authority, loadX509, p256, serialText, signingKeyOf } from '#trust'
import { isAddress } from './certificate.ts'

/** A self-made certificate is good for so long, milliseconds: 90 days, as public authorities have it. */
export const ownMs = 90 * 24 * 60 * 60 * 1000
/** It begins so long before it is made, for clocks that differ. */
const earlierMs = 5 * 60 * 1000

/**
 * Issues a certificate for a server alone, under which clients reach a gateway. It never outlives the authority.
 * @param input.key ECDSA private key on P-256
 * @param input.names DNS names, IP addresses, and names with `*` for their first part
 * @param input.now milliseconds since 1970
 * @param input.serial 16 random bytes
 * @returns PEM; clients have the authority's own
 * @throws certificate.key
 */
export async function issueOwn(
  authority: Authority,
  input: { key: KeyObject; names: readonly string[]; now: number; serial: Uint8Array },
): Promise<string> {
  const { KeyUsageFlags, ...x509 } = await loadX509()
  const issuer = new x509.X509Certificate(authority.certificate.raw)
  const publicKey = createPublicKey(input.key).export({ format: 'der', type: 'spki' })
  const names: JsonGeneralNames = input.names.map((value) => ({ type: isAddress(value) ? 'ip' : 'dns', value }))
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialText(input.serial),
    subject: new x509.Name([{ CN: [{ utf8String: 'Pelago endpoint' }] }]),
    issuer: issuer.subjectName,
    notBefore: new Date(input.now - earlierMs),
    notAfter: new Date(Math.min(input.now + ownMs, authority.certificate.validToDate.getTime())),
    publicKey,
    signingKey: signingKeyOf(authority.key),
    signingAlgorithm: p256,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}
