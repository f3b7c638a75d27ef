import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { loadX509, p256, serialText, signingKeyOf } from '#trust'
import type { Certificate } from '../certificate.ts'
import { pemOf } from '../make-own.ts'
import { publicJwk } from './server.ts'

/** What the authority is to find: its token, bound to the key of the account (RFC 8555 section 8.1). */
export async function keyAuthorization(token: string, key: KeyObject): Promise<string> {
  return `${token}.${await calculateJwkThumbprint(publicJwk(key), 'sha256')}`
}

/** The protocol under which it asks by TLS (RFC 8737 section 6.2). */
export const challengeProtocol = 'acme-tls/1'
/** id-pe-acmeIdentifier (RFC 8737 section 6.1). */
const acmeIdentifier = '1.3.6.1.5.5.7.1.31'
const lifeMs = 24 * 60 * 60 * 1000

/**
 * The certificate that answers a challenge by TLS: self-signed, for this one name, with the hash of the answer in a critical
 * extension (RFC 8737 section 3).
 * @param input.key ECDSA private key on P-256, for this alone
 * @param input.now milliseconds since 1970
 * @param input.serial 16 random bytes
 */
export async function challengeCertificate(input: {
  host: string
  answer: string
  key: KeyObject
  now: number
  serial: Uint8Array
}): Promise<Certificate> {
  const { key, host, now } = input
  const x509 = await loadX509()
  const name = new x509.Name([{ CN: [{ utf8String: 'Pelago challenge' }] }])
  const digest = createHash('sha256').update(input.answer).digest()
  // An OCTET STRING of 32 bytes within the extension's own.
  const value = Buffer.concat([Buffer.from([0x04, digest.length]), digest])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialText(input.serial),
    subject: name,
    issuer: name,
    notBefore: new Date(now - lifeMs),
    notAfter: new Date(now + lifeMs),
    publicKey: createPublicKey(key).export({ format: 'der', type: 'spki' }),
    signingKey: signingKeyOf(key),
    signingAlgorithm: p256,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
      new x509.Extension(acmeIdentifier, true, value),
    ],
  })
  return { chain: `${certificate.toString('pem')}\n`, key: pemOf(key) }
}
