import { operation } from '../operation.ts'
import { json } from '../schema.ts'
import { nothing, watchers } from './words.ts'

const mebibyte = 1024 * 1024

export const getSupportBundle = operation({
  id: 'support.bundle',
  summary:
    'Gathers settings, logs, numbers, status and findings for whoever helps; without secrets, content and names.',
  method: 'GET',
  path: '/v1/support-bundle',
  server: 'supervisor',
  roles: watchers,
  reach: 'house',
  input: nothing,
  output: json(64 * mebibyte),
  errors: [],
})
