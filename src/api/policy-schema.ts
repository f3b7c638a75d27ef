import { choice, exactly, fields, integer, list, number, type Static, text } from './schema.ts'

const country = text({ pattern: '^[A-Z]{2}$', means: 'must be a country of two capital letters (ISO 3166-1)' })

/** The document that says where a bucket's bytes may lie and what they survive. */
export const policySchema = fields({
  version: exactly(1),
  jurisdictions: list(
    text({ pattern: '^(EU|EEA|[A-Z]{2})$', means: 'must be EU, EEA or a country of two capital letters' }),
    100,
  ),
  attestations: list(text({ min: 1, max: 64 }), 32),
  ownersRefused: list(country, 250),
  survive: fields({ providers: integer({ min: 0, max: 16 }), countries: integer({ min: 0, max: 16 }) }),
  greatestShare: number({ min: 0.01, max: 1 }),
  whenShort: choice('refuse', 'accept-with-warning'),
})

/** A policy as the API carries it. */
export type ApiPolicy = Static<typeof policySchema>
