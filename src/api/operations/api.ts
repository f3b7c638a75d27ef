import { operation } from '../operation.ts'
import { json } from '../schema.ts'
import { nothing } from './words.ts'

export const describeApi = operation({
  id: 'api.describe',
  summary: 'Gives the OpenAPI document of what this server answers.',
  method: 'GET',
  path: '/v1/openapi.json',
  server: 'every',
  roles: ['anyone'],
  reach: 'open',
  input: nothing,
  output: json(4 * 1024 * 1024),
  errors: [],
})
