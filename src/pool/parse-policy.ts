import { poolError } from './errors.ts'
import { groups } from './countries.ts'
import { defaultPolicy, type Policy } from './policy.ts'

const fault = (path: string, what: string) => poolError('policy.invalid', { path, fault: what })

/**
 * Reads a policy document. What it leaves out is as in the default; what it does not know is refused, because a rule that
 * is silently ignored is worse than none.
 * @throws policy.invalid with the place and what is wrong there
 */
export function parsePolicy(value: unknown): Policy {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fault('the document', 'must be an object')
  const given = value as Record<string, unknown>
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(defaultPolicy, name)) {
      throw fault(`"${name}"`, `is not known; known are ${Object.keys(defaultPolicy).join(', ')}`)
    }
  }
  if (given.version !== undefined && given.version !== 1) throw fault('"version"', 'must be 1')
  const policy: Policy = {
    version: 1,
    jurisdictions: codes(given, 'jurisdictions', (code) => country(code) || Object.hasOwn(groups, code)),
    attestations: codes(given, 'attestations', (code) => /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/.test(code)),
    ownersRefused: codes(given, 'ownersRefused', country),
    survive: survival(given.survive),
    greatestShare: share(given.greatestShare),
    whenShort: whenShort(given.whenShort),
  }
  if (policy.jurisdictions.length === 0) throw fault('"jurisdictions"', 'must name at least one country or group')
  return policy
}

const country = (code: string) => /^[A-Z]{2}$/.test(code)

function codes(
  given: Record<string, unknown>,
  name: 'jurisdictions' | 'attestations' | 'ownersRefused',
  isValid: (code: string) => boolean,
): string[] {
  const list = given[name] ?? defaultPolicy[name]
  if (!Array.isArray(list) || list.length > 300) throw fault(`"${name}"`, 'must be a list')
  return list.map((code: unknown) => {
    if (typeof code !== 'string' || !isValid(code)) {
      const wanted = name === 'attestations' ? 'is not a name of an attestation' : 'is not a country such as DE'
      throw fault(`"${name}": ${JSON.stringify(code)}`, name === 'jurisdictions' ? `${wanted}, EU or EEA` : wanted)
    }
    return code
  })
}

function survival(given: unknown): Policy['survive'] {
  if (given === undefined) return { ...defaultPolicy.survive }
  if (typeof given !== 'object' || given === null) throw fault('"survive"', 'must be an object')
  const { providers, countries, ...others } = given as Record<string, unknown>
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) throw fault(`"survive.${unknown}"`, 'is not known; known are providers, countries')
  return {
    providers: count(providers ?? defaultPolicy.survive.providers, '"survive.providers"', 4),
    countries: count(countries ?? 0, '"survive.countries"', 2),
  }
}

function count(given: unknown, path: string, most: number): number {
  if (typeof given !== 'number' || !Number.isInteger(given) || given < 0 || given > most) {
    throw fault(path, `must be a whole number from 0 to ${most}`)
  }
  return given
}

function share(given: unknown): number {
  if (given === undefined) return defaultPolicy.greatestShare
  if (typeof given !== 'number' || !(given > 0 && given <= 1)) {
    throw fault('"greatestShare"', 'must be a number above 0, up to 1')
  }
  return given
}

function whenShort(given: unknown): Policy['whenShort'] {
  if (given === undefined) return defaultPolicy.whenShort
  if (given !== 'refuse' && given !== 'accept-with-warning') {
    throw fault('"whenShort"', 'must be "refuse" or "accept-with-warning"')
  }
  return given
}
