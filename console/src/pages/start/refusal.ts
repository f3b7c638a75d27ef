import type { Provider } from './state.ts'

/** The usual policy, as `docs/formats/policy.md` has it: what it refuses is shown grey, with the reason. */
const refusedOwners = new Set(['US', 'CN', 'RU'])

/** Why the usual policy does not use a provider; undefined when it does. */
export function refusalOf({ ownerCountry }: Pick<Provider, 'ownerCountry'>): { country: string } | undefined {
  return refusedOwners.has(ownerCountry) ? { country: ownerCountry } : undefined
}
