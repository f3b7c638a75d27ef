import { X509Certificate } from 'node:crypto'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { pinOfKey, trustError } from '#trust'
import { hostError } from '../errors.ts'

const answerMs = 10_000

/**
 * Gets the certificate of the authority whose key is known, from a server that was certified by it: it stands behind the server's own
 * in the handshake. What is found by the hash of its key needs no other proof; who answers is judged by it afterwards.
 * @param pin SHA-256 of the key of the authority
 * @throws connect.refused, connect.slow, tls.authority
 */
export function fetchAuthority(url: string, pin: string): Promise<X509Certificate> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 443),
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
      // Nothing is sent, and nothing is believed but the certificate that is looked for.
      rejectUnauthorized: false,
      timeout: answerMs,
    })
    socket.once('secureConnect', () => {
      const found = chainOf(socket.getPeerCertificate(true)).find((one) => pinOfKey(one.publicKey) === pin)
      socket.destroy()
      if (found?.ca && found.verify(found.publicKey)) resolve(found)
      else
        reject(
          trustError('tls.authority', { peer: `the federation at ${url}`, reason: 'the code names another authority' }),
        )
    })
    socket.once('timeout', () => {
      socket.destroy()
      reject(hostError('connect.slow', { url, seconds: answerMs / 1000 }))
    })
    socket.once('error', (error) => reject(hostError('connect.refused', { url }, error)))
  })
}

function chainOf(first: DetailedPeerCertificate | undefined): X509Certificate[] {
  const chain: X509Certificate[] = []
  const seen = new Set<string>()
  let at: DetailedPeerCertificate | undefined = first
  // The last one of a chain names itself as its issuer.
  while (at?.raw && !seen.has(at.fingerprint256)) {
    seen.add(at.fingerprint256)
    chain.push(new X509Certificate(at.raw))
    at = at.issuerCertificate
  }
  return chain
}
