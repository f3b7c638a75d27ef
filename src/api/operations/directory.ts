import { operation } from '../operation.ts'
import { json } from '../schema.ts'
import { nothing } from './words.ts'

export const getDirectory = operation({
  id: 'directory.get',
  summary: 'Gives the signed directory of providers.',
  method: 'GET',
  path: '/v1/directory',
  server: 'federation',
  roles: ['anyone'],
  reach: 'open',
  input: nothing,
  output: json(4 * 1024 * 1024),
  errors: [],
})
