import { operation } from '../operation.ts'
import { about, fields, integer, json, text } from '../schema.ts'
import { nothing } from './words.ts'

export const getDirectory = operation({
  id: 'directory.get',
  summary: 'Gives the signed directory of providers and gateways; If-None-Match asks whether there is a newer one.',
  method: 'GET',
  path: '/v1/directory',
  server: 'federation',
  roles: ['anyone'],
  reach: 'open',
  input: nothing,
  concurrency: { revision: 'version' },
  output: fields({
    version: about('As the signed statement has it; nothing but the statement is to be believed.', integer({ min: 0 })),
    directory: about('The statement: docs/formats/directory.md.', json(4 * 1024 * 1024)),
    signature: text(),
  }),
  errors: [],
})
