import { operation } from '../operation.ts'
import { about, choice, fields, integer, json, list, nullable, optional, type Static, text } from '../schema.ts'
import { nothing, people, personName, time } from './words.ts'

const id = text({ min: 1, max: 64 })
const plan = fields({
  needed: about('How many helpers must agree.', integer({ min: 2, max: 16 })),
  helpers: about('One more than are needed, because nobody helps himself.', list(personName, 32)),
})
const recoverySchema = fields({
  id: text(),
  person: text(),
  words: about('What a helper compares with the person before he approves.', text()),
  state: choice('requested', 'cancelled', 'completed', 'lapsed'),
  requestedAt: time,
  readyAt: nullable(about('From when on it may be completed.', time)),
  endedAt: nullable(time),
  expiresAt: time,
  approvedBy: list(text(), 100),
  needed: integer({ min: 0 }),
})
export type ApiRecovery = Static<typeof recoverySchema>

export const getRecoveryPlan = operation({
  id: 'recovery-plan.get',
  summary: 'Says who helps people who have lost their passkeys.',
  method: 'GET',
  path: '/v1/recovery-plan',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  input: nothing,
  output: fields({ plan: nullable(plan) }),
  errors: [],
})

export const setRecoveryPlan = operation({
  id: 'recovery-plan.set',
  summary: 'Replaces the recovery plan; everybody sees a notice of it.',
  method: 'PUT',
  path: '/v1/recovery-plan',
  server: 'gateway',
  roles: ['owner'],
  reach: 'tenant',
  states: ['recovery.planned'],
  input: plan,
  output: nothing,
  errors: ['recovery.plan', 'person.missing'],
})

export const requestRecovery = operation({
  id: 'recovery.create',
  summary: 'Wishes to be let in again. The answer does not tell whether there is such a person.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/recoveries',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: ['recovery.requested'],
  input: fields({ person: personName }),
  output: fields({ id: text(), secret: text(), words: text(), delayMs: integer({ min: 0 }) }),
  errors: ['recovery.planless', 'attempts.spent'],
})

export const listRecoveries = operation({
  id: 'recovery.list',
  summary: 'Lists recoveries, the newest first.',
  method: 'GET',
  path: '/v1/recoveries',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  input: nothing,
  output: fields({ recoveries: list(recoverySchema, 100) }),
  errors: [],
})

export const approveRecovery = operation({
  id: 'recovery.approve',
  summary: 'A helper confirms that it is the person; the delay begins when enough have done so.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/recoveries/{id}/approve',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  states: ['recovery.approved'],
  input: fields({ id }),
  output: recoverySchema,
  errors: ['recovery.missing', 'recovery.helper', 'session.personless'],
})

export const cancelRecovery = operation({
  id: 'recovery.cancel',
  summary: 'A helper, or the person himself, stops a recovery.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/recoveries/{id}/cancel',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  states: ['recovery.cancelled'],
  input: fields({ id }),
  output: recoverySchema,
  errors: ['recovery.missing', 'recovery.helper', 'session.personless'],
})

export const completeRecovery = operation({
  id: 'recovery.complete',
  summary: 'After the delay: ends all that the person signed in with so far, and lets him register new passkeys.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/recoveries/{id}/complete',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: ['recovery.completed'],
  input: fields({ id, secret: text({ min: 20, max: 100 }) }),
  output: fields({ enrolment: text(), person: text(), owed: integer({ min: 0 }), expiresAt: time }),
  errors: ['recovery.missing', 'recovery.claim', 'recovery.few', 'recovery.early', 'attempts.spent'],
})

export const listNotices = operation({
  id: 'notice.list',
  summary: 'Lists what all people of the tenant should know of, the newest first.',
  method: 'GET',
  path: '/v1/notices',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  input: fields({ below: optional(integer({ min: 1 })), limit: optional(integer({ min: 1, max: 100 })) }),
  output: fields({
    notices: list(fields({ number: integer(), kind: text(), about: text(), at: time, facts: json(4096) }), 100),
  }),
  errors: [],
})
