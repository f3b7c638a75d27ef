import { operation } from '../operation.ts'
import { fields } from '../schema.ts'
import { processSchema } from './status.ts'
import { providerId, runners } from './words.ts'

/** In the demo the gateway hands on to the supervisor what its own people may do with the invented providers. */
export const stopDemoProvider = operation({
  id: 'demo.provider.stop',
  summary: 'Stops one of the invented providers of the demo and leaves it stopped until it is started.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/demo/providers/{provider}/stop',
  server: 'gateway',
  roles: runners,
  reach: 'tenant',
  states: { none: 'The supervisor, which does it, states it in its own log.' },
  input: fields({ provider: providerId }),
  output: processSchema,
  errors: ['process.unknown'],
})

export const startDemoProvider = operation({
  id: 'demo.provider.start',
  summary: 'Starts one of the invented providers of the demo now.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/demo/providers/{provider}/start',
  server: 'gateway',
  roles: runners,
  reach: 'tenant',
  states: { none: 'The supervisor, which does it, states it in its own log.' },
  input: fields({ provider: providerId }),
  output: processSchema,
  errors: ['process.unknown', 'process.died', 'process.slow'],
})
