/** Where a bucket's bytes may lie, and what they must survive. A small document that people read. */
export type Policy = {
  version: 1
  /** Countries (ISO 3166-1 alpha-2) or the groups `EU`, `EEA`; `CH` and `GB` are countries. */
  jurisdictions: string[]
  /** Every one of these must be held by a provider. */
  attestations: string[]
  /** Countries whose ownership is refused. */
  ownersRefused: string[]
  /** How many providers (counted by ultimate owner), and how many countries, may be lost at once. */
  survive: { providers: number; countries: number }
  /** The greatest share of an object's bytes that one provider may hold, above 0 up to 1. */
  greatestShare: number
  /** What a write does when the promise cannot be kept with the providers alive now. */
  whenShort: 'refuse' | 'accept-with-warning'
}

export const defaultPolicy: Policy = {
  version: 1,
  jurisdictions: ['EU', 'EEA', 'CH'],
  attestations: [],
  ownersRefused: ['US', 'CN', 'RU'],
  survive: { providers: 2, countries: 0 },
  greatestShare: 0.5,
  whenShort: 'refuse',
}
