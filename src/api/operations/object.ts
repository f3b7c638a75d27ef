import { operation } from '../operation.ts'
import { policySchema } from '../policy-schema.ts'
import { choice, fields, integer, list, text } from '../schema.ts'
import { bucketName, bytes, readers } from './words.ts'

const shardSchema = fields({
  /** Place in the code: the first `data` ones hold the bytes, the rest parity. */
  index: integer({ min: 0 }),
  name: text(),
  provider: text(),
  country: text(),
  owner: text(),
  state: choice('alive', 'dark', 'gone', 'lost'),
  /** Why this provider. */
  because: text({ max: 2000 }),
})

export const whereObject = operation({
  id: 'object.where',
  summary: 'Says which shard of an object lies at whom, in which country, why there, and why not elsewhere.',
  method: 'GET',
  path: '/v1/buckets/{bucket}/where',
  server: 'gateway',
  roles: readers,
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
    /** Providers that the policy does not allow, each with its reason. */
    refused: list(fields({ provider: text(), reason: text({ max: 2000 }) }), 1000),
    /** Allowed providers that hold none of it, each with its reason. */
    idle: list(fields({ provider: text(), reason: text({ max: 2000 }) }), 1000),
  }),
  errors: ['bucket.missing', 'object.missing'],
})
