import { createHash, type KeyObject, sign, verify } from 'node:crypto'
import type { FactsOf } from '#journal'
import { canonicalJson, utf8 } from '#kernel'
import { poolError } from './errors.ts'
import type { Directory, GatewayEntry, Provider } from './member.ts'

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
  const { version, issuedAt, expiresAt } = directory
  if (![version, issuedAt, expiresAt].every(Number.isSafeInteger)) throw refused('its version or times are not numbers')
  if (version < known) throw refused(`its version ${version} is older than ${known}, which was seen before`)
  const fault = faultOfMembers(directory)
  if (fault !== undefined) throw refused(fault)
  return directory
}

const refused = (reason: string) => poolError('directory.invalid', { reason })

/** Why the members that a directory lists cannot be believed; undefined when they can. */
export function faultOfMembers({
  providers,
  gateways = [],
}: Pick<Directory, 'providers' | 'gateways'>): string | undefined {
  if (!Array.isArray(providers)) return 'it lists no providers'
  if (!Array.isArray(gateways)) return 'it lists no gateways'
  for (const [kind, members, fault] of [
    ['provider', providers, faultOf],
    ['gateway', gateways, faultOfGateway],
  ] as const) {
    const ids = new Set<string>()
    for (const member of members) {
      const found = (fault as (member: unknown) => string | undefined)(member)
      if (found !== undefined) return found
      if (ids.has(member.id)) return `${kind} ${member.id} is listed twice`
      ids.add(member.id)
    }
  }
  return undefined
}

/** What is stated of a directory in a log: enough to tell it from every other. */
export function directoryFacts(directory: Directory): FactsOf<'directory.taken'> {
  const { version, providers, gateways = [] } = directory
  const digest = createHash('sha256').update(canonicalJson(directory)).digest('hex')
  return { version, providers: providers.length, gateways: gateways.length, digest }
}

const shortName = /^[a-z0-9][a-z0-9-]{0,63}$/
const keyText = /^[0-9a-f]{64}$/

function faultOfGateway(gateway: GatewayEntry): string | undefined {
  if (typeof gateway !== 'object' || gateway === null) return 'it lists something that is no gateway'
  const { id, publicKey, pin, since } = gateway
  if (typeof id !== 'string' || !shortName.test(id)) return `${JSON.stringify(id)} is no gateway's short name`
  if (typeof publicKey !== 'string' || !keyText.test(publicKey)) return `${id} has no public key`
  if (typeof pin !== 'string' || !keyText.test(pin)) return `${id} has no pin of its certificate`
  return Number.isSafeInteger(since) && since >= 0 ? undefined : `${id} has no time since when it is enrolled`
}

function faultOf(provider: Provider): string | undefined {
  const country = /^[A-Z]{2}$/
  if (typeof provider !== 'object' || provider === null) return 'it lists something that is no provider'
  const { attestations, capacityBytes, pin } = provider
  // A pattern takes a list of one text for that text; what comes behind it does not.
  for (const name of ['id', 'name', 'endpoint', 'publicKey', 'country', 'owner', 'ownerCountry'] as const)
    if (typeof provider[name] !== 'string') return `a provider's ${name} is not a text`
  if (!shortName.test(provider.id)) return `${JSON.stringify(provider.id)} is no provider's short name`
  if (!country.test(provider.country) || !country.test(provider.ownerCountry)) return `${provider.id} has no country`
  if (!keyText.test(provider.publicKey)) return `${provider.id} has no public key`
  if (pin !== undefined && (typeof pin !== 'string' || !keyText.test(pin)))
    return `${provider.id} has no pin of its certificate`
  if (!Array.isArray(attestations) || !attestations.every((one) => typeof one === 'string'))
    return `${provider.id} has no list of attestations`
  if (!Number.isSafeInteger(capacityBytes) || capacityBytes < 0) return `${provider.id} has no capacity`
  if (!provider.owner || !provider.name) return `${provider.id} has no owner or no name`
  try {
    const { protocol } = new URL(provider.endpoint)
    if (protocol === 'https:' && pin === undefined) return `${provider.id} has no pin of its certificate`
    return protocol === 'http:' || protocol === 'https:' ? undefined : `${provider.id} has no HTTP endpoint`
  } catch (error) {
    return `${provider.id} has no endpoint: ${error instanceof Error ? error.message : String(error)}`
  }
}
