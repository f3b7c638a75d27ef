import type { ApiPolicy } from '#api'

/** Policies that most people want, under names that they know. What they leave out is as in the default policy. */
export const presets = [
  { name: 'standard', policy: {} },
  { name: 'light', policy: { survive: { providers: 1, countries: 0 } } },
  { name: 'attested', policy: { attestations: ['C5'], survive: { providers: 1, countries: 0 } } },
  { name: 'germany', policy: { jurisdictions: ['DE'], survive: { providers: 1, countries: 0 } } },
] as const satisfies readonly { name: string; policy: Partial<ApiPolicy> }[]

export type PresetName = (typeof presets)[number]['name']
