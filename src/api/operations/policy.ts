import { operation } from '../operation.ts'
import { about, choice, fields, integer, json, list, nullable, type Static, text } from '../schema.ts'
import { watchers } from './words.ts'

const reasonSchema = fields({
  code: choice('jurisdiction', 'owner', 'attestation'),
  country: about('Where the bytes would lie, or where the owner is from; empty for an attestation.', text()),
  owner: text(),
  values: about('The countries that are allowed, or the attestations that are missing.', list(text(), 100)),
  says: about('The same as a sentence.', text({ max: 2000 })),
})
export type ExplainedReason = Static<typeof reasonSchema>

export const explainPolicy = operation({
  id: 'policy.explain',
  summary: 'Says which providers a policy allows, why not the others, and how an object would be cut up.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/policies/explain',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  states: { none: 'It changes nothing.' },
  input: fields({ policy: about('What it leaves out is as in the default policy.', json(64 * 1024)) }),
  output: fields({
    providers: list(
      fields({ id: text(), name: text(), reasons: about('None: it is allowed.', list(reasonSchema, 10)) }),
      1000,
    ),
    code: about(
      'Data and parity shards with all allowed providers alive; null when nothing keeps the promise.',
      nullable(fields({ data: integer({ min: 1 }), parity: integer({ min: 0 }) })),
    ),
  }),
  errors: ['policy.invalid'],
})
