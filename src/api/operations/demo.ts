import { operation } from '../operation.ts'
import { fields } from '../schema.ts'
import { processSchema } from './status.ts'
import { providerId, runners } from './words.ts'

/** In the demo the gateway hands on to the supervisor what its own people may do with the invented providers. */
const switching = {
  method: 'POST',
  idempotency: 'natural',
  server: 'gateway',
  roles: runners,
  reach: 'tenant',
  states: { none: 'The supervisor, which does it, states it in its own log.' },
  input: fields({ provider: providerId }),
  output: processSchema,
} as const

export const stopDemoProvider = operation({
  ...switching,
  id: 'demo.provider.stop',
  summary: 'Stops one of the invented providers of the demo and leaves it stopped until it is started.',
  path: '/v1/demo/providers/{provider}/stop',
  errors: ['process.unknown'],
})

export const startDemoProvider = operation({
  ...switching,
  id: 'demo.provider.start',
  summary: 'Starts one of the invented providers of the demo now.',
  path: '/v1/demo/providers/{provider}/start',
  errors: ['process.unknown', 'process.died', 'process.slow'],
})
