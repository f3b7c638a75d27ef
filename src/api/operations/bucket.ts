import { operation } from '../operation.ts'
import { policySchema } from '../policy-schema.ts'
import { about, choice, fields, integer, json, list, nullable, optional, type Static, text } from '../schema.ts'
import { admins, bucketName, time, watchers } from './words.ts'

const etags = about(
  'What the ETag of an object is: its MD5, or nothing of its bytes where a checksum vouches for them.',
  choice('md5', 'opaque'),
)
const revised = { revision: 'revision' }
const document = about('What it leaves out is as in the default policy.', json(64 * 1024))
const bucketSchema = fields({
  name: text(),
  createdAt: time,
  policy: policySchema,
  policyEpoch: about('Grows with every policy.', integer({ min: 0 })),
  etags,
  revision: about('Grows with every change to the settings.', integer({ min: 1 })),
})
export type ApiBucket = Static<typeof bucketSchema>

export const listBuckets = operation({
  id: 'bucket.list',
  summary: 'Lists the buckets with their policies, by name.',
  method: 'GET',
  path: '/v1/buckets',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  pages: true,
  input: fields({
    prefix: optional(text({ max: 63 })),
    after: about('Goes on behind this name.', optional(text({ max: 63 }))),
    limit: optional(integer({ min: 1, max: 1000 })),
  }),
  output: fields({ buckets: list(bucketSchema, 1000), next: nullable(text()) }),
  errors: [],
})

export const createBucket = operation({
  id: 'bucket.create',
  summary: 'Creates a bucket, with the default policy or with one of its own, and says what its ETags are.',
  method: 'POST',
  idempotency: 'key',
  path: '/v1/buckets',
  server: 'gateway',
  roles: admins,
  reach: 'tenant',
  states: ['bucket.created'],
  input: fields({ name: bucketName, policy: optional(document), etags: optional(etags) }),
  output: bucketSchema,
  errors: ['bucket.exists', 'bucket.owned', 'policy.invalid', 'policy.unsatisfiable', 'kit.untested'],
  concurrency: revised,
})

export const getBucket = operation({
  id: 'bucket.get',
  summary: 'Shows the settings of a bucket.',
  method: 'GET',
  path: '/v1/buckets/{name}',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  input: fields({ name: bucketName }),
  output: bucketSchema,
  errors: ['bucket.missing'],
  concurrency: revised,
})

export const getBucketPolicy = operation({
  id: 'bucket.policy.get',
  summary: 'Shows the policy of a bucket.',
  method: 'GET',
  path: '/v1/buckets/{name}/policy',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  input: fields({ name: bucketName }),
  output: policySchema,
  errors: ['bucket.missing'],
})

export const setBucketPolicy = operation({
  id: 'bucket.policy.set',
  summary: 'Replaces the policy of a bucket; its objects are moved where the new one asks for it.',
  method: 'PUT',
  path: '/v1/buckets/{name}/policy',
  server: 'gateway',
  roles: admins,
  reach: 'tenant',
  states: ['bucket.policy'],
  input: fields({ name: bucketName, policy: document }),
  output: bucketSchema,
  errors: ['bucket.missing', 'bucket.changed', 'policy.invalid', 'policy.unsatisfiable'],
  concurrency: revised,
})

export const setBucketEtags = operation({
  id: 'bucket.etags.set',
  summary: 'Says what ETags the objects have that are written from now on.',
  method: 'PUT',
  path: '/v1/buckets/{name}/etags',
  server: 'gateway',
  roles: admins,
  reach: 'tenant',
  states: ['bucket.etags'],
  input: fields({ name: bucketName, etags }),
  output: bucketSchema,
  errors: ['bucket.missing', 'bucket.changed'],
  concurrency: revised,
})
