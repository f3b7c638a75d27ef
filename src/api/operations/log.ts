import { operation } from '../operation.ts'
import { about, fields, integer, json, list, nullable, optional, type Static, text } from '../schema.ts'
import { admins, nothing, readers, time } from './words.ts'

const hash = about('SHA-256 in hex.', text({ pattern: '^[0-9a-f]{64}$', means: 'must be 64 hex digits' }))
const hex = text({ pattern: '^[0-9a-f]*$', means: 'must be hex digits', max: 128 })
const note = about('A signed head: a checkpoint in a signed note.', text({ max: 1024 }))
const sequence = integer({ min: 1 })
const after = about('Goes on behind this one.', optional(integer({ min: 0 })))
const limit = optional(integer({ min: 1, max: 1000 }))

const keySchema = fields({
  generation: integer({ min: 1 }),
  log: text(),
  since: about('How many entries the log had when this key came.', integer({ min: 0 })),
  key: about('Ed25519, public, in hex.', hex),
  endorsement: about('Signature of the key before; empty for the first.', hex),
})

export const listLog = operation({
  id: 'log.list',
  summary: 'Lists the log of administrative and security acts; of other tenants’ entries only the hash.',
  method: 'GET',
  path: '/v1/log',
  server: 'every',
  roles: readers,
  reach: 'tenant',
  pages: true,
  input: fields({ after, limit, topic: optional(text({ max: 64 })), name: optional(text({ max: 4096 })) }),
  output: fields({
    entries: list(
      fields({
        sequence,
        hash: about('Leaf hash of the entry.', hash),
        entry: nullable(
          fields({
            sequence,
            topic: text(),
            about: text(),
            actor: text(),
            tenant: text(),
            at: time,
            facts: json(64 * 1024),
            before: about('Leaf hash of the entry before.', hash),
          }),
        ),
      }),
      1000,
    ),
    next: nullable(integer({ min: 0 })),
  }),
  errors: [],
})

export const listHeads = operation({
  id: 'log.head.list',
  summary: 'Lists the signed heads of the log.',
  method: 'GET',
  path: '/v1/log/heads',
  server: 'every',
  roles: readers,
  reach: 'tenant',
  pages: true,
  input: fields({ after, limit }),
  output: fields({ heads: list(fields({ size: sequence, note }), 1000), next: nullable(integer({ min: 0 })) }),
  errors: [],
})

export const getLog = operation({
  id: 'log.get',
  summary: 'Shows the name of the log, its newest head, the head that is kept outside the database, and its keys.',
  method: 'GET',
  path: '/v1/log/state',
  server: 'every',
  roles: readers,
  reach: 'tenant',
  input: nothing,
  output: fields({
    log: text(),
    head: note,
    kept: nullable(note),
    fault: about('What was found wrong with the log while running.', nullable(text({ max: 4000 }))),
    keys: list(keySchema, 10_000),
  }),
  errors: ['log.missing'],
})

const proofSchema = fields({
  format: text(),
  log: text(),
  keys: list(keySchema, 10_000),
  entry: text({ max: 64 * 1024 }),
  inclusion: list(hash, 64),
  head: note,
  earlier: note,
  consistency: list(hash, 64),
})
export type ApiLogProof = Static<typeof proofSchema>

export const proveEntry = operation({
  id: 'log.prove',
  summary: 'Proves that an entry is in the log, and that the log goes on from an earlier head.',
  method: 'GET',
  path: '/v1/log/proofs/{sequence}',
  server: 'every',
  roles: readers,
  reach: 'tenant',
  input: fields({ sequence, earlier: about('Size of the earlier head; the first without.', optional(sequence)) }),
  output: proofSchema,
  errors: ['log.missing', 'log.hidden', 'log.unheaded'],
})

export const rotateLogKey = operation({
  id: 'log.key.rotate',
  summary: 'Makes a new key for the heads of the log; the present one vouches for it.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/log/keys',
  server: 'every',
  roles: admins,
  reach: 'house',
  states: ['log.key'],
  input: nothing,
  output: keySchema,
  errors: ['log.damaged'],
})
