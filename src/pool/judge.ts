import { countryName, isIn } from './countries.ts'
import type { Directory, Provider } from './member.ts'
import type { Policy } from './policy.ts'

export type Refusal = { provider: string; reason: string }

/** Sorts the directory's providers by whether the policy allows them; each refusal says why, in one sentence per reason. */
export function judge(directory: Directory, policy: Policy): { eligible: Provider[]; refused: Refusal[] } {
  const eligible: Provider[] = []
  const refused: Refusal[] = []
  for (const provider of directory.providers) {
    const reasons = reasonsAgainst(provider, policy)
    if (reasons.length === 0) eligible.push(provider)
    else refused.push({ provider: provider.id, reason: reasons.join(' ') })
  }
  return { eligible, refused }
}

function reasonsAgainst(provider: Provider, policy: Policy): string[] {
  const reasons: string[] = []
  if (!isIn(provider.country, policy.jurisdictions)) {
    const allowed = policy.jurisdictions.join(', ')
    reasons.push(`Its data lie in ${countryName(provider.country)}; the policy allows ${allowed}.`)
  }
  if (isIn(provider.ownerCountry, policy.ownersRefused)) {
    reasons.push(
      `Its owner ${provider.owner} is from ${countryName(provider.ownerCountry)}, and the policy refuses owners from there.`,
    )
  }
  const missing = policy.attestations.filter((wanted) => !provider.attestations.includes(wanted))
  if (missing.length > 0) {
    const has = provider.attestations.length > 0 ? `only ${provider.attestations.join(', ')}` : 'none'
    reasons.push(`The policy wants ${missing.join(' and ')}; it has ${has}.`)
  }
  return reasons
}

/** Why a provider may hold a shard under this policy, in one sentence. */
export function explainHolder(provider: Provider, policy: Policy): string {
  const refused = reasonsAgainst(provider, policy)
  if (refused.length > 0) return `To be moved away: ${refused.join(' ')}`
  const attested = policy.attestations.length > 0 ? `, attested ${policy.attestations.join(', ')}` : ''
  return `${countryName(provider.country)} is allowed, owned in ${countryName(provider.ownerCountry)}${attested}.`
}
