import { type KeyObject, sign, verify } from 'node:crypto'
import { canonicalJson, utf8 } from '#kernel'
import { poolError } from './errors.ts'
import type { Directory, Provider } from './member.ts'

/** A directory as it travels: the statement and the federation's Ed25519 signature (RFC 8032) over its canonical JSON (RFC 8785). */
export type SignedDirectory = { directory: Directory; signature: string }

const statement = (directory: Directory) => utf8(`pelago directory 1\n${canonicalJson(directory)}`)

/** @param key the federation's Ed25519 private key */
export function signDirectory(directory: Directory, key: KeyObject): SignedDirectory {
  return { directory, signature: sign(null, statement(directory), key).toString('base64') }
}

/**
 * Checks a directory before it is believed. Its expiry is not checked here: an old one is still good for reading.
 * @param known version of the newest directory seen so far; going back is refused
 * @throws directory.invalid
 */
export function verifyDirectory(value: unknown, key: KeyObject, known: number): Directory {
  const { directory, signature } = (value ?? {}) as Partial<SignedDirectory>
  if (typeof directory !== 'object' || directory === null || typeof signature !== 'string')
    throw refused('it has not the form of a directory')
  const signed = Buffer.from(signature, 'base64')
  if (signed.length !== 64 || !verify(null, statement(directory), key, signed)) throw refused('its signature is wrong')
  const { version, issuedAt, expiresAt, providers } = directory
  if (![version, issuedAt, expiresAt].every(Number.isSafeInteger)) throw refused('its version or times are not numbers')
  if (!Array.isArray(providers)) throw refused('it lists no providers')
  if (version < known) throw refused(`its version ${version} is older than ${known}, which was seen before`)
  const ids = new Set<string>()
  for (const provider of providers) {
    const fault = faultOf(provider)
    if (fault) throw refused(fault)
    if (ids.has(provider.id)) throw refused(`provider ${provider.id} is listed twice`)
    ids.add(provider.id)
  }
  return directory
}

const refused = (reason: string) => poolError('directory.invalid', { reason })

function faultOf(provider: Provider): string | undefined {
  const country = /^[A-Z]{2}$/
  if (typeof provider !== 'object' || provider === null) return 'it lists something that is no provider'
  const { attestations, capacityBytes } = provider
  // A pattern takes a list of one text for that text; what comes behind it does not.
  for (const name of ['id', 'name', 'endpoint', 'publicKey', 'country', 'owner', 'ownerCountry'] as const)
    if (typeof provider[name] !== 'string') return `a provider's ${name} is not a text`
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(provider.id))
    return `${JSON.stringify(provider.id)} is no provider's short name`
  if (!country.test(provider.country) || !country.test(provider.ownerCountry)) return `${provider.id} has no country`
  if (!/^[0-9a-f]{64}$/.test(provider.publicKey)) return `${provider.id} has no public key`
  if (!Array.isArray(attestations) || !attestations.every((one) => typeof one === 'string'))
    return `${provider.id} has no list of attestations`
  if (!Number.isSafeInteger(capacityBytes) || capacityBytes < 0) return `${provider.id} has no capacity`
  if (!provider.owner || !provider.name) return `${provider.id} has no owner or no name`
  try {
    return new URL(provider.endpoint).protocol.startsWith('http') ? undefined : `${provider.id} has no HTTP endpoint`
  } catch (error) {
    return `${provider.id} has no endpoint: ${error instanceof Error ? error.message : String(error)}`
  }
}
