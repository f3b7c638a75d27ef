import type { Provider } from './member.ts'

/** Facts about a provider that do not depend on where its process runs. */
export type ProviderFacts = Omit<Provider, 'endpoint' | 'publicKey' | 'capacityBytes'>

/**
 * The seven providers of `pelago up`: six countries, one with an owner from the United States, one without any attestation.
 * All invented.
 */
export const demoPool: ProviderFacts[] = [
  facts('alster', 'Alster Rechenzentrum', 'DE', 'Alster Rechenzentrum eG', 'DE', ['C5', 'ISO27001']),
  facts('isar', 'Isar Cloud', 'DE', 'Isar Cloud GmbH', 'DE', ['C5', 'ISO27001']),
  facts('loire', 'Loire Nuage', 'FR', 'Loire Nuage SAS', 'FR', ['ISO27001', 'SecNumCloud']),
  facts('vecht', 'Vecht Hosting', 'NL', 'Vecht Hosting BV', 'NL', ['ISO27001']),
  facts('saimaa', 'Saimaa Data', 'FI', 'Saimaa Data Oy', 'FI', ['ISO27001']),
  facts('reuss', 'Reuss Speicher', 'CH', 'Reuss Speicher AG', 'CH', []),
  facts('shannon', 'Shannon Cloud', 'IE', 'Prairie Compute Inc.', 'US', ['ISO27001', 'SOC2']),
]

function facts(
  id: string,
  name: string,
  country: string,
  owner: string,
  ownerCountry: string,
  attestations: string[],
): ProviderFacts {
  return { id, name, country, owner, ownerCountry, attestations }
}
