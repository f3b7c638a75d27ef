import { operation } from '../operation.ts'
import { about, choice, fields, integer, list, nullable, optional, record, type Static, text } from '../schema.ts'
import { admins, bucketName, nothing, time, watchers } from './words.ts'

const moveSchema = fields({
  kind: choice('bucket', 'packs'),
  scope: about('The id of the bucket, or of the class of packs.', text()),
  epoch: about('The epoch under which everything is to be; 0 when the bucket was deleted.', integer({ min: 0 })),
  state: about(
    'What is being done; each step but `ending` leads to the next, and the last one ends with the destruction of the older keys.',
    choice('moving', 'settled', 'fenced', 'waiting', 'ending'),
  ),
  begunAt: time,
  notBefore: about('Nothing more happens before.', time),
  moved: about('Keys that were wrapped anew so far.', integer({ min: 0 })),
  stuck: about('Keys that could not be: while there are any, no key is destroyed.', integer({ min: 0 })),
})
export type ApiKeyMove = Static<typeof moveSchema>

const erasureSchema = fields({
  bucket: text(),
  cause: choice('rotated', 'ended'),
  before: about('What was deleted before is erased with these keys; what was deleted later is not.', time),
  destroyedAt: about('When the keys were destroyed; null while they are there.', nullable(time)),
  epochs: about('How many epochs were destroyed.', integer({ min: 0 })),
})
export type ApiErasure = Static<typeof erasureSchema>
const unconfirmed = about('What nobody here can know to be gone, in sentences.', list(text({ max: 500 }), 2000))

export const listEpochs = operation({
  id: 'epoch.list',
  summary: 'Says which epochs of a bucket have keys, how far a rotation is, and what the last one erased.',
  method: 'GET',
  path: '/v1/buckets/{name}/epochs',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  input: fields({ name: bucketName }),
  output: fields({
    epochs: list(
      fields({
        epoch: integer({ min: 1 }),
        state: about(
          '`current`: new keys are wrapped by it; `leaving`: a rotation brings everything away from it; `kept`: an older one.',
          choice('current', 'leaving', 'kept'),
        ),
        since: nullable(time),
      }),
      10_000,
    ),
    move: nullable(moveSchema),
    erasure: nullable(erasureSchema),
    unconfirmed,
  }),
  errors: ['bucket.missing'],
})

export const rotateBucketKey = operation({
  id: 'epoch.rotate',
  summary:
    'Begins a new epoch of the keys of a bucket; what is stored is wrapped anew, then the older keys are destroyed.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/buckets/{name}/epochs',
  server: 'gateway',
  roles: admins,
  reach: 'tenant',
  states: ['epoch.begun'],
  input: fields({ name: bucketName }),
  output: moveSchema,
  errors: ['bucket.missing', 'key.rotating', 'key.unavailable'],
})

export const rotatePackKeys = operation({
  id: 'pack-epoch.rotate',
  summary: 'Does the same for the keys that prove the bytes of packs, which open none.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/pack-epochs',
  server: 'gateway',
  roles: admins,
  reach: 'house',
  states: ['epoch.begun'],
  input: nothing,
  output: fields({ moves: list(moveSchema, 10_000) }),
  errors: ['key.unavailable'],
})

export const listErasures = operation({
  id: 'erasure.list',
  summary: 'Lists what was erased by the destruction of keys, in deleted buckets too, the newest first.',
  method: 'GET',
  path: '/v1/erasures',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  input: fields({
    after: optional(text({ pattern: '^[0-9]{1,15}-[0-9a-f]{32}$' })),
    limit: optional(integer({ min: 1, max: 1000 })),
  }),
  output: fields({ erasures: list(erasureSchema, 1000), next: nullable(text()) }),
  errors: [],
  pages: true,
})

export const getRootKey = operation({
  id: 'root-key.get',
  summary: 'Says which root key wraps the keys of how many epochs, and what the unwrap process was asked.',
  method: 'GET',
  path: '/v1/root-key',
  server: 'gateway',
  roles: watchers,
  reach: 'house',
  input: nothing,
  output: fields({
    root: about('Name of the root key that wraps now; null while it cannot be asked.', nullable(text())),
    roots: list(fields({ root: text(), epochs: integer({ min: 0 }) }), 1000),
    moves: list(moveSchema, 1000),
    asked: about(
      'Questions that the unwrap process has answered since it was started, by kind; null while it cannot be asked.',
      nullable(record(integer({ min: 0 }), 16)),
    ),
  }),
  errors: [],
})
