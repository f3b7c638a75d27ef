import { operation } from '../operation.ts'
import { about, fields, flag, text } from '../schema.ts'
import { nothing } from './words.ts'

export const getConsole = operation({
  id: 'console.get',
  summary: 'Says what a page must know before anybody has signed in; it names nobody.',
  method: 'GET',
  path: '/v1/console',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  input: nothing,
  output: fields({
    version: text(),
    demo: about('Invented providers run on this machine, and may be stopped to see what happens.', flag()),
    s3: about('Where S3 clients connect.', text({ max: 300 })),
    region: text(),
  }),
  errors: [],
})
