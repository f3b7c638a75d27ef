import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { trustError } from '../errors.ts'
import { p256, serialText, signingKeyOf } from './material.ts'
import { certificateOf } from './pin.ts'
import { loadX509 } from './x509.ts'

/** What issues certificates to the roles of one federation. */
export type Authority = { key: KeyObject; certificate: X509Certificate }

/** An authority is good for so long, milliseconds: ten years. */
export const authorityMs = 3650 * 24 * 60 * 60 * 1000

/**
 * Makes the self-signed certificate of a federation's authority. It may issue certificates of roles and no other authorities.
 * @param input.key ECDSA private key on P-256
 * @param input.name of the federation, to be read by people
 * @param input.now milliseconds since 1970
 * @param input.serial 16 random bytes
 * @returns PEM
 * @throws certificate.key
 */
export async function makeAuthority(input: {
  key: KeyObject
  name: string
  now: number
  serial: Uint8Array
}): Promise<string> {
  const { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, SubjectKeyIdentifierExtension, ...x509 } =
    await loadX509()
  const name = new x509.Name([{ CN: [{ utf8String: `${input.name} authority` }] }])
  const publicKey = createPublicKey(input.key).export({ format: 'der', type: 'spki' })
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialText(input.serial),
    subject: name,
    issuer: name,
    notBefore: new Date(input.now),
    notAfter: new Date(input.now + authorityMs),
    publicKey,
    signingKey: signingKeyOf(input.key),
    signingAlgorithm: p256,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

/**
 * Puts key and certificate of an authority together, and looks whether they can issue anything.
 * @param input.now milliseconds since 1970
 * @throws authority.unfit, certificate.unreadable
 */
export function openAuthority(input: { key: KeyObject; certificate: string; now: number }): Authority {
  const certificate = certificateOf(input.certificate)
  const unfit = (reason: string) => trustError('authority.unfit', { reason })
  if (!certificate.ca || !certificate.verify(certificate.publicKey)) throw unfit('its certificate is of another kind')
  if (!certificate.checkPrivateKey(input.key)) throw unfit('its key does not belong to its certificate')
  if (certificate.validToDate.getTime() <= input.now)
    throw unfit(`its certificate expired on ${certificate.validToDate.toISOString()}`)
  return { key: input.key, certificate }
}
