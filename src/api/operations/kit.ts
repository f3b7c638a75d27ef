import { operation } from '../operation.ts'
import { about, choice, fields, list, nullable, type Static, text } from '../schema.ts'
import { admins, nothing, time, watchers } from './words.ts'

const kitId = text({ pattern: '^[0-9a-f]{32}$', means: 'must be the 32 digits that a recovery kit is called by' })
const digest = text({ pattern: '^[0-9a-f]{64}$', means: 'must be a SHA-256 in hex' })

/** How it stands with recovery kits; health says it too. */
export const kitStateFields = {
  state: about(
    'Whether one gives everything back; `exempt`: this is a demo, which asks for none; `stale`: something has changed since.',
    choice('exempt', 'missing', 'untested', 'stale', 'tested'),
  ),
  light: about(
    'Red while what is stored would be lost with this machine; yellow while it could be read again, but with work.',
    choice('green', 'yellow', 'red'),
  ),
  changed: about(
    'What is another one than in the kit: the root key, the key of the gateway, what the federation is known by.',
    list(choice('root', 'gateway', 'anchor'), 3),
  ),
}
export const kitStateSchema = fields(kitStateFields)
export type ApiKitState = Static<typeof kitStateSchema>

const kitsSchema = fields({
  ...kitStateFields,
  kits: about(
    'Those whose copies are not said to be destroyed; the first is the one of which the state speaks.',
    list(fields({ kit: kitId, gateway: text(), root: text(), madeAt: time, testedAt: nullable(time) }), 1000),
  ),
})
export type ApiKits = Static<typeof kitsSchema>

export const listKits = operation({
  id: 'kit.list',
  summary: 'Says which recovery kits there are, which was tested, and whether it still fits.',
  method: 'GET',
  path: '/v1/kits',
  server: 'gateway',
  roles: watchers,
  reach: 'house',
  input: nothing,
  output: kitsSchema,
  errors: [],
})

export const registerKit = operation({
  id: 'kit.register',
  summary: 'Notes a recovery kit that was made where the root key lies, by hashes, so that it can be tested.',
  method: 'PUT',
  path: '/v1/kits/{kit}',
  server: 'gateway',
  roles: admins,
  reach: 'house',
  states: ['kit.made'],
  input: fields({
    kit: kitId,
    root: text({ min: 1, max: 64 }),
    gatewayKey: digest,
    anchor: digest,
    proof: digest,
    madeAt: time,
  }),
  output: kitsSchema,
  errors: [],
})

export const proveKit = operation({
  id: 'kit.prove',
  summary: 'Takes what was found in a recovery kit for proof that two of its files open it.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/kits/{kit}/proof',
  server: 'gateway',
  roles: admins,
  reach: 'house',
  states: ['kit.tested'],
  input: fields({
    kit: kitId,
    proof: text({ pattern: '^[0-9a-f]{64}$', means: 'must be what the kit says, 32 bytes in hex' }),
  }),
  output: kitsSchema,
  errors: ['kit.unknown', 'kit.unproved'],
})

export const discardKit = operation({
  id: 'kit.discard',
  summary: 'Notes that all copies of a recovery kit were destroyed.',
  method: 'DELETE',
  path: '/v1/kits/{kit}',
  server: 'gateway',
  roles: admins,
  reach: 'house',
  states: ['kit.discarded'],
  input: fields({ kit: kitId }),
  output: kitsSchema,
  errors: ['kit.unknown'],
})
