import { countryName, isIn } from './countries.ts'
import type { Directory, Provider } from './member.ts'
import type { Policy } from './policy.ts'

export type Refusal = { provider: string; reason: string }

/** One rule that a provider breaks: `says` in a sentence, the rest for whoever says it in another language. */
export type Reason = {
  code: 'jurisdiction' | 'owner' | 'attestation'
  /** Where the bytes would lie, or where the owner is from; empty for an attestation. */
  country: string
  owner: string
  /** The countries that are allowed, or the attestations that are missing. */
  values: string[]
  says: string
}

/** Sorts the directory's providers by whether the policy allows them; each refusal says why, in one sentence per reason. */
export function judge(directory: Directory, policy: Policy): { eligible: Provider[]; refused: Refusal[] } {
  const eligible: Provider[] = []
  const refused: Refusal[] = []
  for (const provider of directory.providers) {
    const reasons = reasonsAgainst(provider, policy)
    if (reasons.length === 0) eligible.push(provider)
    else refused.push({ provider: provider.id, reason: inWords(reasons) })
  }
  return { eligible, refused }
}

/** Every rule of the policy that the provider breaks; none when it may hold shards. */
export function reasonsAgainst(provider: Provider, policy: Policy): Reason[] {
  const reasons: Reason[] = []
  const { country, owner, ownerCountry } = provider
  if (!isIn(country, policy.jurisdictions)) {
    const says = `Its data lie in ${countryName(country)}; the policy allows ${policy.jurisdictions.join(', ')}.`
    reasons.push({ code: 'jurisdiction', country, owner, values: policy.jurisdictions, says })
  }
  if (isIn(ownerCountry, policy.ownersRefused)) {
    const says = `Its owner ${owner} is from ${countryName(ownerCountry)}, and the policy refuses owners from there.`
    reasons.push({ code: 'owner', country: ownerCountry, owner, values: policy.ownersRefused, says })
  }
  const missing = policy.attestations.filter((wanted) => !provider.attestations.includes(wanted))
  if (missing.length > 0) {
    const has = provider.attestations.length > 0 ? `only ${provider.attestations.join(', ')}` : 'none'
    const says = `The policy wants ${missing.join(' and ')}; it has ${has}.`
    reasons.push({ code: 'attestation', country: '', owner, values: missing, says })
  }
  return reasons
}

/** Why a provider may hold a shard under this policy, in one sentence. */
export function explainHolder(provider: Provider, policy: Policy): string {
  const reasons = reasonsAgainst(provider, policy)
  if (reasons.length > 0) return `To be moved away: ${inWords(reasons)}`
  const attested = policy.attestations.length > 0 ? `, attested ${policy.attestations.join(', ')}` : ''
  return `${countryName(provider.country)} is allowed, owned in ${countryName(provider.ownerCountry)}${attested}.`
}

const inWords = (reasons: Reason[]) => reasons.map(({ says }) => says).join(' ')
