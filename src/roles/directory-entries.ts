import type { Directory, GatewayEntry, Provider, ProviderFacts } from '#pool'
import type { Member } from '#trust'

/** What of a provider's entry is stated by whoever invites it. */
export type InvitedFacts = Omit<ProviderFacts, 'id'>

/** What a directory says about the members of now, in the order of their ids. */
export function entriesOf(members: readonly Member[]): Required<Pick<Directory, 'providers' | 'gateways'>> {
  const providers: Provider[] = []
  const gateways: GatewayEntry[] = []
  for (const member of members) {
    const { id, publicKey, pin, since, endpoint, capacityBytes } = member
    if (member.kind === 'gateway') gateways.push({ id, publicKey, pin, since })
    else {
      // As it was checked at the invitation; the directory is checked again before it is signed.
      const facts = member.facts as InvitedFacts
      providers.push({ id, ...facts, endpoint, publicKey, capacityBytes, ...(pin !== '' && { pin }) })
    }
  }
  return { providers, gateways }
}

/** A provider of a configuration, as a member. */
export function writtenMember(provider: Provider): Omit<Member, 'since' | 'state' | 'revokedAt'> {
  const { id, endpoint, publicKey, capacityBytes, pin, name, country, owner, ownerCountry, attestations } = provider
  const facts: InvitedFacts = { name, country, owner, ownerCountry, attestations }
  return { id, kind: 'provider', facts, publicKey, identity: undefined, pin: pin ?? '', endpoint, capacityBytes }
}
