import { type Role, roleNames } from '#kernel'
import type { ApiRole } from '../operation.ts'
import { operation } from '../operation.ts'
import { choice, fields, flag, integer, list, nullable, optional, type Static, text } from '../schema.ts'
import { admins, bucketName, nothing, readers, time } from './words.ts'

const owners: readonly ApiRole[] = ['owner']
const states = choice('active', 'disabled')
const tenantId = text({
  min: 1,
  max: 64,
  pattern: '^[a-z][a-z0-9-]*$',
  means: 'must be a short name of a-z, 0-9 and hyphen that begins with a letter',
})
const name = text({
  min: 1,
  max: 64,
  pattern: '^[\\w+=,.@-]+$',
  means: 'must be made of letters, digits and _+=,.@-',
})
const keyId = text({ min: 3, max: 128, pattern: '^[A-Za-z0-9._-]+$', means: 'must be the id of an access key' })
/** Whoever runs the gateway may name another tenant than his own. */
const tenant = optional(tenantId)
const document = text({ min: 2, max: 20 * 1024 })
const role = choice(...(roleNames as unknown as [Role, ...Role[]]))
const common = { server: 'gateway' as const }

const tenantSchema = fields({
  id: text(),
  name: text(),
  state: states,
  public: flag(),
  epoch: integer(),
  createdAt: time,
})
export type ApiTenant = Static<typeof tenantSchema>

export const listTenants = operation({
  ...common,
  id: 'tenant.list',
  summary: 'Lists the tenants; whoever does not run the gateway sees his own.',
  method: 'GET',
  path: '/v1/tenants',
  roles: readers,
  reach: 'tenant',
  input: nothing,
  output: fields({ tenants: list(tenantSchema, 100_000) }),
  errors: [],
})
export const createTenant = operation({
  ...common,
  id: 'tenant.create',
  summary: 'Creates a tenant. Only whoever runs the gateway may.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/tenants',
  roles: owners,
  reach: 'house',
  states: ['tenant.created'],
  input: fields({ tenant: tenantId, name: optional(text({ min: 1, max: 200 })) }),
  output: tenantSchema,
  errors: ['tenant.exists'],
})
export const setTenant = operation({
  ...common,
  id: 'tenant.set',
  summary: 'Says whether a tenant may do anything, and whether policies of its buckets may let in everybody.',
  method: 'PUT',
  path: '/v1/tenants/{tenant}',
  roles: owners,
  reach: 'tenant',
  states: ['tenant.changed'],
  input: fields({ tenant: tenantId, state: optional(states), public: optional(flag()) }),
  output: tenantSchema,
  errors: ['tenant.missing', 'tenant.foreign'],
})
export const revokeTenant = operation({
  ...common,
  id: 'tenant.revoke',
  summary: 'Ends every session and every temporary credential of a tenant.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/tenants/{tenant}/revocation',
  roles: owners,
  reach: 'tenant',
  states: ['tenant.revoked'],
  input: fields({ tenant: tenantId }),
  output: tenantSchema,
  errors: ['tenant.missing'],
})

const personSchema = fields({
  id: text(),
  name: text(),
  displayName: text(),
  email: nullable(text()),
  roles: list(role, 6),
  state: states,
  epoch: integer(),
  createdAt: time,
})
export type ApiPerson = Static<typeof personSchema>

export const listPeople = operation({
  ...common,
  id: 'person.list',
  summary: 'Lists the people and programs of a tenant.',
  method: 'GET',
  path: '/v1/people',
  roles: readers,
  reach: 'tenant',
  input: fields({ tenant }),
  output: fields({ people: list(personSchema, 100_000) }),
  errors: [],
})
export const createPerson = operation({
  ...common,
  id: 'person.create',
  summary:
    'Makes a person, or a program, known. They may do nothing with objects until a policy allows it, but owners and admins.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/people',
  roles: admins,
  reach: 'tenant',
  states: ['person.created', 'person.granted'],
  input: fields({
    tenant,
    name,
    displayName: optional(text({ min: 1, max: 200 })),
    email: optional(text({ min: 3, max: 320 })),
    roles: list(role, 6),
  }),
  output: personSchema,
  errors: ['person.exists', 'person.owner', 'tenant.missing'],
})
export const setPerson = operation({
  ...common,
  id: 'person.set',
  summary: 'Replaces the roles of somebody, enables or disables them.',
  method: 'PUT',
  path: '/v1/people/{name}',
  roles: admins,
  reach: 'tenant',
  states: ['person.granted', 'person.withdrawn', 'person.state'],
  input: fields({ tenant, name, roles: optional(list(role, 6)), state: optional(states) }),
  output: personSchema,
  errors: ['person.missing', 'person.owner', 'person.last-owner'],
})
export const revokePerson = operation({
  ...common,
  id: 'person.revoke',
  summary: 'Ends every session and every temporary credential of somebody.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/people/{name}/revocation',
  roles: admins,
  reach: 'tenant',
  states: ['person.revoked'],
  input: fields({ tenant, name }),
  output: personSchema,
  errors: ['person.missing', 'person.owner'],
})
export const deletePerson = operation({
  ...common,
  id: 'person.delete',
  summary: 'Deletes somebody with their access keys and policies.',
  method: 'DELETE',
  path: '/v1/people/{name}',
  roles: admins,
  reach: 'tenant',
  states: ['person.deleted'],
  input: fields({ tenant, name }),
  output: nothing,
  errors: ['person.missing', 'person.owner', 'person.last-owner'],
})

const groupSchema = fields({ id: text(), name: text(), members: list(text(), 100_000), createdAt: time })
export type ApiGroup = Static<typeof groupSchema>

export const listGroups = operation({
  ...common,
  id: 'group.list',
  summary: 'Lists the groups with who is in them.',
  method: 'GET',
  path: '/v1/groups',
  roles: readers,
  reach: 'tenant',
  input: fields({ tenant }),
  output: fields({ groups: list(groupSchema, 100_000) }),
  errors: [],
})
export const createGroup = operation({
  ...common,
  id: 'group.create',
  summary: 'Creates a group.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/groups',
  roles: admins,
  reach: 'tenant',
  states: ['group.created'],
  input: fields({ tenant, name }),
  output: groupSchema,
  errors: ['group.exists', 'tenant.missing'],
})
export const deleteGroup = operation({
  ...common,
  id: 'group.delete',
  summary: 'Deletes a group with its policies; its people stay.',
  method: 'DELETE',
  path: '/v1/groups/{name}',
  roles: admins,
  reach: 'tenant',
  states: ['group.deleted'],
  input: fields({ tenant, name }),
  output: nothing,
  errors: ['group.missing'],
})
export const addToGroup = operation({
  ...common,
  id: 'group.add',
  summary: 'Puts somebody into a group.',
  method: 'PUT',
  path: '/v1/groups/{name}/members/{person}',
  roles: admins,
  reach: 'tenant',
  states: ['group.joined'],
  input: fields({ tenant, name, person: name }),
  output: nothing,
  errors: ['group.missing', 'person.missing'],
})
export const removeFromGroup = operation({
  ...common,
  id: 'group.remove',
  summary: 'Takes somebody out of a group.',
  method: 'DELETE',
  path: '/v1/groups/{name}/members/{person}',
  roles: admins,
  reach: 'tenant',
  states: ['group.left'],
  input: fields({ tenant, name, person: name }),
  output: nothing,
  errors: ['group.missing', 'person.missing'],
})

const keySchema = fields({
  id: text(),
  person: text(),
  note: text(),
  state: states,
  createdAt: time,
  /** To the hour. */
  usedAt: nullable(time),
})
export type ApiKey = Static<typeof keySchema>

export const listKeys = operation({
  ...common,
  id: 'key.list',
  summary: 'Lists the access keys of a tenant, without their secrets.',
  method: 'GET',
  path: '/v1/keys',
  roles: readers,
  reach: 'tenant',
  input: fields({ tenant }),
  output: fields({ keys: list(keySchema, 1_000_000) }),
  errors: [],
})
export const createKey = operation({
  ...common,
  id: 'key.create',
  summary: 'Makes an access key for somebody and tells its secret, this once.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/keys',
  roles: admins,
  reach: 'tenant',
  states: ['key.created'],
  input: fields({ tenant, person: name, note: optional(text({ max: 200 })) }),
  output: fields({ key: keySchema, secret: text() }),
  errors: ['person.missing', 'person.owner', 'key.many'],
})
export const setKey = operation({
  ...common,
  id: 'key.set',
  summary: 'Enables or disables an access key. It takes effect within a second everywhere.',
  method: 'PUT',
  path: '/v1/keys/{key}',
  roles: admins,
  reach: 'tenant',
  states: ['key.state'],
  input: fields({ tenant, key: keyId, state: states }),
  output: nothing,
  errors: ['key.missing'],
})
export const deleteKey = operation({
  ...common,
  id: 'key.delete',
  summary: 'Deletes an access key, and with it every temporary credential that was got with it.',
  method: 'DELETE',
  path: '/v1/keys/{key}',
  roles: admins,
  reach: 'tenant',
  states: ['key.deleted'],
  input: fields({ tenant, key: keyId }),
  output: nothing,
  errors: ['key.missing'],
})

const holder = { kind: choice('person', 'group', 'role'), holder: name }
const heldPolicy = fields({ name: text(), document: text({ max: 20 * 1024 }), setAt: time })

export const listAccessPolicies = operation({
  ...common,
  id: 'access.policy.list',
  summary: 'Shows the policies of a person, a group or a role of STS.',
  method: 'GET',
  path: '/v1/access-policies/{kind}/{holder}',
  roles: readers,
  reach: 'tenant',
  input: fields({ tenant, ...holder }),
  output: fields({ policies: list(heldPolicy, 1000) }),
  errors: ['person.missing', 'group.missing', 'assumable-role.missing'],
})
export const setAccessPolicy = operation({
  ...common,
  id: 'access.policy.set',
  summary: 'Sets a policy, in the language of S3, of a person, a group or a role of STS.',
  method: 'PUT',
  path: '/v1/access-policies/{kind}/{holder}/{name}',
  roles: admins,
  reach: 'tenant',
  states: ['access.policy.set'],
  input: fields({ tenant, ...holder, name, document }),
  output: nothing,
  errors: ['access-policy.invalid', 'person.missing', 'group.missing', 'assumable-role.missing'],
})
export const deleteAccessPolicy = operation({
  ...common,
  id: 'access.policy.delete',
  summary: 'Deletes a policy of a person, a group or a role of STS.',
  method: 'DELETE',
  path: '/v1/access-policies/{kind}/{holder}/{name}',
  roles: admins,
  reach: 'tenant',
  states: ['access.policy.deleted'],
  input: fields({ tenant, ...holder, name }),
  output: nothing,
  errors: ['access-policy.missing', 'person.missing', 'group.missing', 'assumable-role.missing'],
})

export const getBucketAccess = operation({
  ...common,
  id: 'bucket.access.get',
  summary: 'Shows who may use a bucket, as its policy in the language of S3 says.',
  method: 'GET',
  path: '/v1/buckets/{bucket}/access',
  roles: readers,
  reach: 'tenant',
  input: fields({ tenant, bucket: bucketName }),
  output: fields({ document: nullable(text({ max: 20 * 1024 })), public: flag() }),
  errors: ['bucket.missing'],
})
export const setBucketAccess = operation({
  ...common,
  id: 'bucket.access.set',
  summary: 'Says who may use a bucket, in the language of S3.',
  method: 'PUT',
  path: '/v1/buckets/{bucket}/access',
  roles: admins,
  reach: 'tenant',
  states: ['bucket.access.set'],
  input: fields({ tenant, bucket: bucketName, document }),
  output: nothing,
  errors: ['bucket.missing', 'access-policy.invalid', 'access-policy.public'],
})
export const deleteBucketAccess = operation({
  ...common,
  id: 'bucket.access.delete',
  summary: 'Takes the access policy of a bucket away.',
  method: 'DELETE',
  path: '/v1/buckets/{bucket}/access',
  roles: admins,
  reach: 'tenant',
  states: ['bucket.access.deleted'],
  input: fields({ tenant, bucket: bucketName }),
  output: nothing,
  errors: ['bucket.missing'],
})

const stsRole = fields({
  id: text(),
  name: text(),
  arn: text(),
  trust: text({ max: 20 * 1024 }),
  longestSeconds: integer(),
  epoch: integer(),
  createdAt: time,
})
export type ApiStsRole = Static<typeof stsRole>
const roleErrors = ['assumable-role.missing']

export const listStsRoles = operation({
  ...common,
  id: 'role.list',
  summary: 'Lists the roles that can be assumed for temporary credentials.',
  method: 'GET',
  path: '/v1/sts-roles',
  roles: readers,
  reach: 'tenant',
  input: fields({ tenant }),
  output: fields({ roles: list(stsRole, 100_000) }),
  errors: [],
})
export const createStsRole = operation({
  ...common,
  id: 'role.create',
  summary: 'Creates a role of STS with a trust policy that says who may assume it.',
  method: 'POST',
  idempotency: 'none',
  path: '/v1/sts-roles',
  roles: admins,
  reach: 'tenant',
  states: ['assumable.created'],
  input: fields({ tenant, name, trust: document, longestSeconds: optional(integer({ min: 900, max: 43_200 })) }),
  output: stsRole,
  errors: ['assumable-role.exists', 'access-policy.invalid', 'tenant.missing'],
})
export const trustStsRole = operation({
  ...common,
  id: 'role.trust',
  summary: 'Says anew who may assume a role.',
  method: 'PUT',
  path: '/v1/sts-roles/{name}',
  roles: admins,
  reach: 'tenant',
  states: ['assumable.trusted'],
  input: fields({ tenant, name, trust: document }),
  output: stsRole,
  errors: [...roleErrors, 'access-policy.invalid'],
})
export const revokeStsRole = operation({
  ...common,
  id: 'role.revoke',
  summary: 'Ends every temporary credential of a role.',
  method: 'POST',
  idempotency: 'natural',
  path: '/v1/sts-roles/{name}/revocation',
  roles: admins,
  reach: 'tenant',
  states: ['assumable.revoked'],
  input: fields({ tenant, name }),
  output: stsRole,
  errors: roleErrors,
})
export const deleteStsRole = operation({
  ...common,
  id: 'role.delete',
  summary: 'Deletes a role, and with it every temporary credential of it.',
  method: 'DELETE',
  path: '/v1/sts-roles/{name}',
  roles: admins,
  reach: 'tenant',
  states: ['assumable.deleted'],
  input: fields({ tenant, name }),
  output: nothing,
  errors: roleErrors,
})

const url = text({
  min: 8,
  max: 500,
  pattern: '^https?://[^\\s/?#]+\\S*$',
  means: 'must be an address that begins with https://',
})
const issuerSchema = fields({ issuer: text(), audiences: list(text(), 100), keysUrl: text(), createdAt: time })
export type ApiIssuer = Static<typeof issuerSchema>

export const listIssuers = operation({
  ...common,
  id: 'issuer.list',
  summary: 'Lists the issuers whose tokens are taken for temporary credentials.',
  method: 'GET',
  path: '/v1/web-issuers',
  roles: readers,
  reach: 'tenant',
  input: fields({ tenant }),
  output: fields({ issuers: list(issuerSchema, 1000) }),
  errors: [],
})
export const setIssuer = operation({
  ...common,
  id: 'issuer.set',
  summary: 'Takes the tokens of an issuer for these audiences.',
  method: 'PUT',
  path: '/v1/web-issuers/{issuer}',
  roles: admins,
  reach: 'tenant',
  states: ['issuer.set'],
  input: fields({ tenant, issuer: url, audiences: list(text({ min: 1, max: 200 }), 100), keysUrl: url }),
  output: nothing,
  errors: ['tenant.missing'],
})
export const deleteIssuer = operation({
  ...common,
  id: 'issuer.delete',
  summary: 'Takes the tokens of an issuer no more, and ends the temporary credentials that came of them.',
  method: 'DELETE',
  path: '/v1/web-issuers/{issuer}',
  roles: admins,
  reach: 'tenant',
  states: ['issuer.deleted'],
  input: fields({ tenant, issuer: url }),
  output: nothing,
  errors: ['web-issuer.missing'],
})
