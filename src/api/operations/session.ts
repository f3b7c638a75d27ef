import { operation } from '../operation.ts'
import { about, choice, fields, flag, integer, list, nullable, optional, type Static, text } from '../schema.ts'
import { admins, nothing, people, personName, time } from './words.ts'

const carrier = about('A browser keeps a cookie; a program sends the token itself.', choice('cookie', 'bearer'))
const secret = text({ min: 20, max: 100 })
const code = about('As it was shown; case and hyphens do not matter.', text({ min: 4, max: 40 }))
const sessionSchema = fields({
  id: text(),
  carrier,
  method: choice('passkey', 'provider', 'login'),
  label: text(),
  createdAt: time,
  seenAt: time,
  current: flag(),
})
/** A sign-in that succeeded. `token` is told to programs only, and once; a browser has it in its cookie. */
export const signedIn = fields({ person: text(), session: text(), token: nullable(text()) })
export type ApiSignedIn = Static<typeof signedIn>
export type ApiSession = Static<typeof sessionSchema>

export const getSession = operation({
  id: 'session.get',
  summary: 'Says who asks, and how it is known.',
  method: 'GET',
  path: '/v1/session',
  server: 'gateway',
  roles: [...people, 'machine'],
  reach: 'tenant',
  input: nothing,
  output: fields({
    tenant: text(),
    actor: text(),
    roles: list(text(), 10),
    kind: choice('local', 'session', 'key', 'token', 'signature'),
    session: nullable(text()),
  }),
  errors: ['session.ended', 'session.forged'],
})

export const signOut = operation({
  id: 'session.sign-out',
  summary: 'Ends the session that asks, and says where to sign out of the identity provider as well.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/session/end',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  states: ['session.ended'],
  input: nothing,
  output: fields({ signOutUrl: nullable(text({ max: 4096 })) }),
  errors: ['session.personless'],
})

export const listSessions = operation({
  id: 'session.list',
  summary: 'Lists the sessions of whoever asks; an admin may name somebody else.',
  method: 'GET',
  path: '/v1/sessions',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  input: fields({ person: optional(personName) }),
  output: fields({ sessions: list(sessionSchema) }),
  errors: ['person.missing', 'session.personless'],
})

export const endSession = operation({
  id: 'session.end',
  summary: 'Ends one of the sessions of whoever asks; an admin may end those of others.',
  method: 'DELETE',
  path: '/v1/sessions/{id}',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  states: ['session.ended'],
  input: fields({ id: text({ min: 1, max: 64 }) }),
  output: nothing,
  errors: ['session.missing'],
})

export const beginLogin = operation({
  id: 'login.begin',
  summary: 'Begins the sign-in of a program: it shows the code, and somebody who is signed in approves it.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/logins',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: { none: 'Nobody is anybody yet; the approval is stated.' },
  input: fields({ label: text({ min: 1, max: 100 }) }),
  output: fields({ code: text(), device: text(), expiresAt: time }),
  errors: ['attempts.spent', 'ceremony.crowded'],
})

export const showLogin = operation({
  id: 'login.show',
  summary: 'Shows which program asks with this code, before it is approved.',
  method: 'GET',
  path: '/v1/logins/{code}',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  input: fields({ code }),
  output: fields({ label: text(), address: text() }),
  errors: ['login.code', 'attempts.spent', 'session.personless'],
})

export const approveLogin = operation({
  id: 'login.approve',
  summary: 'Lets the program with this code be whoever approves.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/logins/{code}/approve',
  server: 'gateway',
  roles: people,
  reach: 'tenant',
  states: ['login.approved'],
  input: fields({ code }),
  output: fields({ label: text(), address: text() }),
  errors: ['login.code', 'attempts.spent', 'session.personless'],
})

export const finishLogin = operation({
  id: 'login.finish',
  summary: 'Takes the session that somebody has approved.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/logins/finish',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: ['session.opened'],
  input: fields({ device: secret }),
  output: signedIn,
  errors: ['login.pending', 'ceremony.missing', 'ceremony.expired'],
})

export const listIdentityProviders = operation({
  id: 'identity-provider.list',
  summary: 'Lists the OpenID Connect providers that people may sign in with.',
  method: 'GET',
  path: '/v1/identity-providers',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  input: nothing,
  output: fields({ providers: list(fields({ id: text(), name: text() }), 100) }),
  errors: [],
})

export const beginProviderSignIn = operation({
  id: 'identity-provider.begin',
  summary: 'Begins a sign-in with an identity provider and says where to go.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/sign-in/provider',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: { none: 'Nobody is anybody yet; the sign-in is stated.' },
  input: fields({ provider: text({ min: 1, max: 64 }), redirectUri: text({ min: 1, max: 300 }) }),
  output: fields({ ceremony: text(), url: text({ max: 8192 }) }),
  errors: ['provider.unknown', 'provider.redirect', 'provider.failed', 'attempts.spent'],
})

export const finishProviderSignIn = operation({
  id: 'identity-provider.finish',
  summary: 'Signs in whom the identity provider names, with the query that it sent back.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/sign-in/provider/finish',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: ['session.opened', 'identity.linked'],
  input: fields({ ceremony: secret, answer: text({ min: 1, max: 8192 }), carrier }),
  output: signedIn,
  errors: [
    ...['ceremony.missing', 'ceremony.expired', 'ceremony.foreign', 'provider.state', 'provider.issuer'],
    ...['provider.audience', 'provider.nonce', 'provider.expired', 'provider.code', 'provider.signature'],
    ...['provider.algorithm', 'provider.token', 'provider.refused', 'provider.failed', 'provider.uninvited'],
    'session.forged',
  ],
})

export const createAdminCode = operation({
  id: 'admin-code.create',
  summary: 'Makes the code that lets in the first owner, for 15 minutes; whoever runs the machine asks.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/admin-codes',
  server: 'gateway',
  roles: ['owner'],
  reach: 'house',
  states: ['admin.code'],
  input: nothing,
  output: fields({ code: text(), expiresAt: time }),
  errors: ['admin.present'],
})

export const createInvitation = operation({
  id: 'invitation.create',
  summary: 'Makes the code that lets in a person of the tenant who has nothing to sign in with, for 24 hours.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/invitations',
  server: 'gateway',
  roles: admins,
  reach: 'tenant',
  states: ['person.invited'],
  input: fields({ person: personName }),
  output: fields({ code: text(), expiresAt: time }),
  errors: ['person.missing', 'invitation.settled', 'invitation.owner'],
})

export const claimCode = operation({
  id: 'enrolment.create',
  summary: 'Takes such a code, once, for the right to register passkeys. The first owner says how he is called.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/enrolments',
  server: 'gateway',
  roles: ['anyone'],
  reach: 'open',
  states: ['admin.claimed', 'invitation.claimed'],
  input: fields({
    kind: choice('admin', 'invitation'),
    code,
    name: optional(personName),
    displayName: optional(text({ min: 1, max: 100 })),
  }),
  output: fields({ enrolment: text(), person: text(), owed: integer({ min: 0 }), expiresAt: time }),
  errors: ['admin.code', 'admin.present', 'invitation.code', 'enrolment.name', 'attempts.spent', 'person.exists'],
})
