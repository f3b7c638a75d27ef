import { readFileSync } from 'node:fs'
import { isAddress, type WantedCertificate } from '#endpoint'
import { challengesOf, type EndpointConfig, hostnamesOf, letsEncrypt } from '../run/certificate-configuration.ts'

/**
 * The certificate that is made here or ordered.
 * @returns undefined for one that is given
 * @throws file errors for a key that is named and not there
 */
export function wantedOf(config: EndpointConfig): WantedCertificate | undefined {
  const { certificate } = config
  if (!certificate || certificate.kind === 'given') return undefined
  const names = hostnamesOf(config)
  if (certificate.kind === 'self-made') {
    // Buckets are reached as names below a host's.
    const below = names.filter((name) => !isAddress(name) && !name.startsWith('*.')).map((name) => `*.${name}`)
    return { names: [...new Set([...names, ...below])] }
  }
  const { contact = [], directory = letsEncrypt, externalAccount, profile, termsAgreed = false } = certificate
  return {
    names,
    acme: {
      ...{ directory, contact, termsAgreed, challenges: challengesOf(config, certificate) },
      ...(profile !== undefined && { profile }),
      ...(externalAccount && {
        externalAccount: {
          keyId: externalAccount.keyId,
          hmacKey: Buffer.from(readFileSync(externalAccount.hmacKeyFile, 'utf8').trim(), 'base64url'),
        },
      }),
    },
  }
}
