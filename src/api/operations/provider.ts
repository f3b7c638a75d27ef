import { operation } from '../operation.ts'
import { fields, integer, list, nullable, text } from '../schema.ts'
import { processSchema, processState } from './status.ts'
import { bytes, nothing, providerId, runners, watchers } from './words.ts'

const providerSchema = fields({
  id: text(),
  name: text(),
  endpoint: text(),
  country: text(),
  owner: text(),
  ownerCountry: text(),
  attestations: list(text(), 100),
  capacityBytes: bytes,
  state: processState,
  pid: nullable(integer()),
  because: text({ max: 2000 }),
})

export const listProviders = operation({
  id: 'provider.list',
  summary: 'Lists the providers with their facts and whether their process runs.',
  method: 'GET',
  path: '/v1/providers',
  server: 'supervisor',
  roles: watchers,
  reach: 'house',
  input: nothing,
  output: fields({ providers: list(providerSchema, 1000) }),
  errors: [],
})

export const stopProvider = operation({
  id: 'provider.stop',
  summary: 'Stops the process of one provider and leaves it stopped until it is started.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/providers/{provider}/stop',
  server: 'supervisor',
  roles: runners,
  reach: 'house',
  states: ['provider.stopped'],
  input: fields({ provider: providerId }),
  output: processSchema,
  errors: ['process.unknown'],
})

export const startProvider = operation({
  id: 'provider.start',
  summary: 'Starts the process of one provider now.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/providers/{provider}/start',
  server: 'supervisor',
  roles: runners,
  reach: 'house',
  states: ['provider.started'],
  input: fields({ provider: providerId }),
  output: processSchema,
  errors: ['process.unknown', 'process.died', 'process.slow'],
})
