import { operation } from '../operation.ts'
import { policySchema } from '../policy-schema.ts'
import { about, choice, fields, integer, list, text } from '../schema.ts'
import { bucketName, bytes, readers } from './words.ts'

const shardSchema = fields({
  index: about('Place in the code: the first `data` ones hold the bytes, the rest parity.', integer({ min: 0 })),
  name: text(),
  provider: text(),
  country: text(),
  owner: text(),
  state: choice('alive', 'dark', 'gone', 'lost'),
  because: about('Why this provider.', text({ max: 2000 })),
})

const reasons = list(fields({ provider: text(), reason: text({ max: 2000 }) }), 1000)

export const whereObject = operation({
  id: 'object.where',
  summary: 'Says which shard of an object lies at whom, in which country, why there, and why not elsewhere.',
  method: 'GET',
  path: '/v1/buckets/{bucket}/where',
  server: 'gateway',
  roles: readers,
  reach: 'tenant',
  input: fields({ bucket: bucketName, key: text({ min: 1, max: 1024 }) }),
  output: fields({
    bucket: text(),
    key: text(),
    version: text(),
    size: bytes,
    policy: policySchema,
    segments: list(
      fields({
        id: text(),
        bytes,
        data: integer({ min: 1 }),
        parity: integer({ min: 0 }),
        margin: integer({ min: -1 }),
        shards: list(shardSchema, 64),
      }),
      100_000,
    ),
    refused: about('Providers that the policy does not allow, each with its reason.', reasons),
    idle: about('Allowed providers that hold none of it, each with its reason.', reasons),
  }),
  errors: ['bucket.missing', 'object.missing'],
})
