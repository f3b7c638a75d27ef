import { accessError, getTenant } from '#access'
import * as api from '#api'
import type { Database } from '#kernel'
import type { OpenStorage, QuotaLimits, ShownQuota } from '#storage'
import { type Handler, handles } from './handler.ts'

const pageQuotas = 100

type Ports = { database: Database; storage: Pick<OpenStorage, 'quotas'> }

/** What a gateway answers about how much may be stored. */
export function quotaOperations({ database, storage }: Ports): Handler[] {
  return [
    handles(api.listQuotas, async (call, { tenant = call.tenant, after = '', limit = pageQuotas }) => {
      if (tenant !== call.tenant && !call.house) throw accessError('tenant.missing', { tenant })
      const { quotas, next } = await storage.quotas.show({ tenant, after, limit })
      return { quotas: quotas.map(shown), next: next ?? null }
    }),
    handles(api.setBucketQuota, async (call, { name, ...wished }) => {
      await storage.quotas.setBucket(call, { bucket: name, ...limitsOf(wished) })
      return {}
    }),
    handles(api.setTenantQuota, async (call, { tenant, ...wished }) => {
      await database.read(() => getTenant(tenant))
      await storage.quotas.setTenant(call, { tenant, ...limitsOf(wished) })
      return {}
    }),
  ]
}

type Wished = { bytes?: number | null; objects?: number | null }

const limitsOf = ({ bytes, objects }: Wished): QuotaLimits => ({
  bytesLimit: bytes ?? undefined,
  objectsLimit: objects ?? undefined,
})

function shown({ tenant, bucket, bytesLimit, objectsLimit, used, held, counting }: ShownQuota): api.ApiQuota {
  return {
    tenant,
    bucket: bucket ?? null,
    bytes: bytesLimit ?? null,
    objects: objectsLimit ?? null,
    usedBytes: used.bytes,
    usedObjects: used.objects,
    heldBytes: held.bytes,
    heldObjects: held.objects,
    counting,
  }
}
