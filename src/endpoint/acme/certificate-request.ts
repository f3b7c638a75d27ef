import { createPublicKey, type KeyObject } from 'node:crypto'
import { loadX509, p256, signingKeyOf } from '#trust'

/**
 * Asks for a certificate (PKCS #10, RFC 2986) with a key of its own and these names.
 * @param key ECDSA private key on P-256
 * @returns base64url of the DER, as RFC 8555 section 7.4 wants it
 */
export async function certificateRequest(key: KeyObject, names: readonly string[]): Promise<string> {
  const x509 = await loadX509()
  const spki = createPublicKey(key)
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: { privateKey: signingKeyOf(key), publicKey: spki.toCryptoKey(p256, true, ['verify']) },
    signingAlgorithm: p256,
    extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))],
  })
  return Buffer.from(request.rawData).toString('base64url')
}
