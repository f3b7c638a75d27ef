import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { KitFacts } from '#storage'
import type { GatewayConfig } from '../run/configuration.ts'

/**
 * What a recovery kit is held against: hashes of the gateway's public keys, and of those by which the federation is known. Its
 * address is not in it, nor certificates: those may change while the keys are the same.
 * @throws when a key file cannot be read
 */
export function kitFacts({
  id,
  keyFile,
  federation,
  enrolled,
}: Pick<GatewayConfig, 'id' | 'keyFile' | 'federation' | 'enrolled'>): Omit<KitFacts, 'required'> {
  const own = [keyFile, enrolled?.identityFile].flatMap((file) =>
    file !== undefined && existsSync(file) ? [publicPart(createPublicKey(createPrivateKey(readFileSync(file))))] : [],
  )
  const authority = enrolled?.authorityFile
  const theirs =
    authority !== undefined && existsSync(authority)
      ? [publicPart(new X509Certificate(readFileSync(authority)).publicKey)]
      : []
  return { gateway: id, gatewayKey: hashOf(own), anchor: hashOf([Buffer.from(federation.publicKey, 'hex'), ...theirs]) }
}

const publicPart = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' })

/** Each part is hashed for itself first, so that no two lists come to the same bytes. */
function hashOf(parts: readonly Buffer[]): string {
  const all = createHash('sha256')
  for (const part of parts) all.update(createHash('sha256').update(part).digest())
  return all.digest('hex')
}
