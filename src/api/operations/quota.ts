import { operation } from '../operation.ts'
import { about, fields, flag, integer, list, nullable, optional, type Static, text } from '../schema.ts'
import { admins, bucketName, bytes, nothing, watchers } from './words.ts'

const limit = (of: string) =>
  about(`The most ${of}; null for as much as there is room for.`, nullable(integer({ min: 0 })))
const limits = { bytes: limit('bytes'), objects: limit('objects') }
const wished = { bytes: optional(limits.bytes), objects: optional(limits.objects) }
const tenantId = text({
  min: 1,
  max: 64,
  pattern: '^[a-z][a-z0-9-]*$',
  means: 'must be a short name of a-z, 0-9 and hyphen that begins with a letter',
})

const quotaSchema = fields({
  tenant: text(),
  bucket: about('Null where it is for all buckets of the tenant together.', nullable(text())),
  ...limits,
  usedBytes: about('Objects, and parts of uploads that are not finished.', integer()),
  usedObjects: integer(),
  heldBytes: about('What gateways hold ready beside that; a write that needs it gets it.', bytes),
  heldObjects: integer({ min: 0 }),
  counting: about('Whether what there was before the quota is still being counted.', flag()),
})
export type ApiQuota = Static<typeof quotaSchema>

export const listQuotas = operation({
  id: 'quota.list',
  summary:
    'Lists the quotas of a tenant and of its buckets, and how much of them is used. Whoever runs the gateway may name another tenant.',
  method: 'GET',
  path: '/v1/quotas',
  server: 'gateway',
  roles: watchers,
  reach: 'tenant',
  pages: true,
  input: fields({
    tenant: optional(tenantId),
    after: optional(text({ max: 100 })),
    limit: optional(integer({ min: 1, max: 1000 })),
  }),
  output: fields({ quotas: list(quotaSchema, 1000), next: nullable(text()) }),
  errors: ['tenant.missing'],
})

export const setBucketQuota = operation({
  id: 'quota.bucket.set',
  summary: 'Says how much may be stored in a bucket. Without any limit there is no quota.',
  method: 'PUT',
  path: '/v1/buckets/{name}/quota',
  server: 'gateway',
  roles: admins,
  reach: 'tenant',
  states: ['bucket.quota'],
  input: fields({ name: bucketName, ...wished }),
  output: nothing,
  errors: ['bucket.missing'],
})

export const setTenantQuota = operation({
  id: 'quota.tenant.set',
  summary: 'Says how much a tenant may store in all of its buckets. Only whoever runs the gateway may.',
  method: 'PUT',
  path: '/v1/tenants/{tenant}/quota',
  server: 'gateway',
  roles: ['owner'],
  // Whom a quota is to hold must not raise it.
  reach: 'house',
  states: ['tenant.quota'],
  input: fields({ tenant: tenantId, ...wished }),
  output: nothing,
  errors: ['tenant.missing'],
})
