import { operation } from './operation.ts'
import { policySchema } from './policy-schema.ts'
import {
  choice,
  fields,
  flag,
  integer,
  json,
  list,
  nullable,
  number,
  optional,
  record,
  type Static,
  text,
} from './schema.ts'

const time = integer({ min: 0 })
const bytes = integer({ min: 0 })
const bucketName = text({
  pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
  means: 'must be 3 to 63 of a-z, 0-9, dot and hyphen, beginning and ending with a letter or digit',
})
const providerId = text({ min: 1, max: 64, pattern: '^[a-z0-9-]+$', means: 'must be the short name of a provider' })
const operator = ['operator'] as const
const nothing = fields({})

const processState = choice('starting', 'running', 'waiting', 'stopping', 'stopped')

/** One process of Pelago as its supervisor sees it. */
const processSchema = fields({
  name: text(),
  role: choice('federation', 'provider', 'gateway'),
  state: processState,
  pid: nullable(integer()),
  /** When the state began. */
  since: time,
  /** When a `waiting` process is started again. */
  restartAt: nullable(time),
  restarts: integer({ min: 0 }),
  /** Why it is in this state, in words. */
  because: text({ max: 2000 }),
  url: text(),
})
export type ProcessStatus = Static<typeof processSchema>

/** Everything about the processes of one data folder. */
export const getStatus = operation({
  id: 'status.get',
  summary: 'Says which processes run, since when, and why one does not.',
  method: 'GET',
  path: '/v1/status',
  server: 'supervisor',
  roles: operator,
  input: nothing,
  output: fields({
    startedAt: time,
    now: time,
    data: text({ max: 4096 }),
    version: text(),
    s3: text(),
    processes: list(processSchema, 1000),
    disk: fields({ freeBytes: bytes, totalBytes: bytes }),
  }),
  errors: [],
})

/** What the gateway has seen of its providers and what margin its objects have. */
export const getHealth = operation({
  id: 'health.get',
  summary: 'Says how many losses the stored objects still survive, and which providers answer.',
  method: 'GET',
  path: '/v1/health',
  server: 'gateway',
  roles: operator,
  input: nothing,
  output: fields({
    now: time,
    providers: list(
      fields({
        id: text(),
        name: text(),
        country: text(),
        owner: text(),
        ownerCountry: text(),
        attestations: list(text(), 100),
        state: choice('alive', 'dark'),
        darkSince: nullable(time),
        full: flag(),
        latencyMs: number({ min: 0 }),
        usedBytes: nullable(bytes),
        quotaBytes: nullable(bytes),
      }),
      1000,
    ),
    /** How many more losses are survived -> how much is in that state; -1 cannot be read now. */
    margins: list(fields({ margin: integer({ min: -1 }), segments: bytes, bytes }), 64),
    /** Segments whose margin is below what their bucket promises. */
    degraded: bytes,
    /** Segments that are being brought back to their promise. */
    repairing: bytes,
    objects: nullable(bytes),
    /** What the gateway holds for requests, and the most it would. */
    memory: record(fields({ usedBytes: bytes, limitBytes: bytes }), 8),
    directory: fields({ version: integer({ min: 0 }), issuedAt: time, expiresAt: time }),
  }),
  errors: [],
})

const providerSchema = fields({
  id: text(),
  name: text(),
  endpoint: text(),
  country: text(),
  owner: text(),
  ownerCountry: text(),
  attestations: list(text(), 100),
  capacityBytes: bytes,
  state: processState,
  pid: nullable(integer()),
  because: text({ max: 2000 }),
})

export const listProviders = operation({
  id: 'provider.list',
  summary: 'Lists the providers with their facts and whether their process runs.',
  method: 'GET',
  path: '/v1/providers',
  server: 'supervisor',
  roles: operator,
  input: nothing,
  output: fields({ providers: list(providerSchema, 1000) }),
  errors: [],
})

export const stopProvider = operation({
  id: 'provider.stop',
  summary: 'Stops the process of one provider and leaves it stopped until it is started.',
  method: 'POST',
  path: '/v1/providers/{provider}/stop',
  server: 'supervisor',
  roles: operator,
  input: fields({ provider: providerId }),
  output: processSchema,
  errors: ['process.unknown'],
})

export const startProvider = operation({
  id: 'provider.start',
  summary: 'Starts the process of one provider now.',
  method: 'POST',
  path: '/v1/providers/{provider}/start',
  server: 'supervisor',
  roles: operator,
  input: fields({ provider: providerId }),
  output: processSchema,
  errors: ['process.unknown', 'process.died', 'process.slow'],
})

/** One step of `pelago doctor`. */
const findingSchema = fields({
  step: text(),
  state: choice('good', 'warning', 'bad', 'skipped'),
  says: text({ max: 4000 }),
  /** What to do; empty when nothing is. */
  mend: text({ max: 4000 }),
})
export type Finding = Static<typeof findingSchema>

export const runDoctor = operation({
  id: 'doctor.run',
  summary: 'Examines Node, ports, data folder, disk, clock, each role and the directory.',
  method: 'POST',
  path: '/v1/doctor',
  server: 'supervisor',
  roles: operator,
  input: nothing,
  output: fields({ findings: list(findingSchema, 1000) }),
  errors: [],
})

/** What the ETag of an object is: its MD5, or nothing that is computed of its bytes where a checksum vouches for them. */
const etags = choice('md5', 'opaque')
const bucketSchema = fields({
  name: text(),
  createdAt: time,
  policy: policySchema,
  policyEpoch: integer({ min: 0 }),
  etags,
})
export type ApiBucket = Static<typeof bucketSchema>

export const listBuckets = operation({
  id: 'bucket.list',
  summary: 'Lists the buckets with their policies.',
  method: 'GET',
  path: '/v1/buckets',
  server: 'gateway',
  roles: operator,
  input: nothing,
  output: fields({ buckets: list(bucketSchema, 100_000) }),
  errors: [],
})

export const createBucket = operation({
  id: 'bucket.create',
  summary: 'Creates a bucket, with the default policy or with one of its own, and says what its ETags are.',
  method: 'POST',
  path: '/v1/buckets',
  server: 'gateway',
  roles: operator,
  input: fields({ name: bucketName, policy: optional(json(64 * 1024)), etags: optional(etags) }),
  output: bucketSchema,
  errors: ['bucket.exists', 'bucket.owned', 'policy.invalid', 'policy.unsatisfiable'],
})

export const getBucketPolicy = operation({
  id: 'bucket.policy.get',
  summary: 'Shows the policy of a bucket.',
  method: 'GET',
  path: '/v1/buckets/{name}/policy',
  server: 'gateway',
  roles: operator,
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
  roles: operator,
  /** What the policy leaves out is as in the default. */
  input: fields({ name: bucketName, policy: json(64 * 1024) }),
  output: bucketSchema,
  errors: ['bucket.missing', 'policy.invalid', 'policy.unsatisfiable'],
})

export const setBucketEtags = operation({
  id: 'bucket.etags.set',
  summary: 'Says what ETags the objects have that are written from now on.',
  method: 'PUT',
  path: '/v1/buckets/{name}/etags',
  server: 'gateway',
  roles: operator,
  input: fields({ name: bucketName, etags }),
  output: bucketSchema,
  errors: ['bucket.missing'],
})

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
  roles: operator,
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

export const getDirectory = operation({
  id: 'directory.get',
  summary: 'Gives the signed directory of providers.',
  method: 'GET',
  path: '/v1/directory',
  server: 'federation',
  roles: ['anyone'],
  input: nothing,
  output: json(4 * 1024 * 1024),
  errors: [],
})

/** Every operation, for servers and documentation to walk over. */
export const operations = {
  getStatus,
  getHealth,
  listProviders,
  stopProvider,
  startProvider,
  runDoctor,
  listBuckets,
  createBucket,
  getBucketPolicy,
  setBucketPolicy,
  setBucketEtags,
  whereObject,
  getDirectory,
}
