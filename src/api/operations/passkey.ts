import { operation } from '../operation.ts'
import { fields, flag, integer, json, list, nullable, optional, type Static, text } from '../schema.ts'
import { signedIn } from './session.ts'
import { nothing, people, time } from './words.ts'

const secret = text({ min: 20, max: 100 })
const base64url = (max: number) => text({ min: 1, max, pattern: '^[A-Za-z0-9_-]+$', means: 'must be base64url' })
/** What a page hands to the browser; bytes are base64url. */
const begun = fields({ ceremony: text(), options: json(64 * 1024) })
const name = text({ min: 1, max: 100 })
const registration = fields({
  id: base64url(1400),
  clientData: base64url(8192),
  attestation: base64url(16_384),
  transports: optional(list(text({ max: 32 }), 10)),
})
const assertion = fields({
  id: base64url(1400),
  clientData: base64url(8192),
  authenticatorData: base64url(4096),
  signature: base64url(2048),
  userHandle: optional(base64url(128)),
})
const passkeySchema = fields({
  id: text({ max: 1400 }),
  name: text(),
  createdAt: time,
  usedAt: nullable(time),
  backedUp: flag(),
  regressedAt: nullable(time),
})
export type ApiPasskey = Static<typeof passkeySchema>

const ceremonyErrors = ['ceremony.missing', 'ceremony.expired', 'ceremony.foreign']
const sharedErrors = [
  ...['passkey.malformed', 'passkey.type', 'passkey.challenge', 'passkey.origin', 'passkey.framed', 'passkey.rp'],
  ...['passkey.presence', 'passkey.verification', 'passkey.backup', 'passkey.extended'],
]
const registrationErrors = [
  ...[...ceremonyErrors, ...sharedErrors, 'passkey.incomplete', 'passkey.algorithm', 'passkey.key', 'passkey.id'],
  ...['passkey.attestation', 'passkey.statement', 'passkey.taken', 'passkey.many'],
]

export const beginPasskeySignIn = operation({
  id: 'passkey.sign-in.begin',
  summary: 'Begins a sign-in by passkey.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/sign-in/passkey',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: { none: 'Nobody is anybody yet; the sign-in is stated.' },
  input: nothing,
  output: begun,
  errors: ['attempts.spent', 'ceremony.crowded'],
})

export const finishPasskeySignIn = operation({
  id: 'passkey.sign-in.finish',
  summary: 'Signs in whoever owns the passkey that answered; the session comes as a cookie.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/sign-in/passkey/finish',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: ['session.opened', 'passkey.regressed'],
  input: fields({ ceremony: secret, answer: assertion }),
  output: signedIn,
  errors: [
    ...[...ceremonyErrors, ...sharedErrors, 'passkey.unknown', 'passkey.owner', 'passkey.changed', 'passkey.signature'],
    'session.forged',
  ],
})

export const listPasskeys = operation({
  id: 'passkey.list',
  summary: 'Lists the passkeys of whoever asks.',
  method: 'GET',
  path: '/v1/passkeys',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  input: nothing,
  output: fields({ passkeys: list(passkeySchema, 100) }),
  errors: ['session.personless'],
})

export const beginPasskey = operation({
  id: 'passkey.begin',
  summary: 'Begins to register one more passkey of whoever asks.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/passkeys/begin',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  states: { none: 'Nothing is registered yet; the registration is stated.' },
  input: nothing,
  output: begun,
  errors: ['attempts.spent', 'ceremony.crowded', 'session.personless'],
})

export const finishPasskey = operation({
  id: 'passkey.create',
  summary: 'Registers the passkey that answered.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/passkeys',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  states: ['passkey.registered'],
  input: fields({ ceremony: secret, name, answer: registration }),
  output: passkeySchema,
  errors: [...registrationErrors, 'session.personless'],
})

export const removePasskey = operation({
  id: 'passkey.delete',
  summary: 'Removes a passkey of whoever asks, but never the last one.',
  method: 'DELETE',
  path: '/v1/passkeys/{id}',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  states: ['passkey.removed'],
  input: fields({ id: base64url(1400) }),
  output: nothing,
  errors: ['passkey.missing', 'passkey.last', 'session.personless'],
})

export const beginEnrolledPasskey = operation({
  id: 'enrolment.passkey.begin',
  summary: 'Begins to register one of the passkeys that an enrolment asks for.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/enrolments/passkeys/begin',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: { none: 'Nothing is registered yet; the registration is stated.' },
  input: fields({ enrolment: secret }),
  output: begun,
  errors: [...ceremonyErrors, 'attempts.spent', 'ceremony.crowded'],
})

export const finishEnrolledPasskey = operation({
  id: 'enrolment.passkey.create',
  summary: 'Registers it; with the last one that is owed the person is signed in, by cookie.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/enrolments/passkeys',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: ['passkey.registered', 'session.opened'],
  input: fields({ enrolment: secret, ceremony: secret, name, answer: registration }),
  output: fields({ owed: integer({ min: 0 }), signedIn: nullable(signedIn) }),
  errors: [...registrationErrors, 'session.forged'],
})
